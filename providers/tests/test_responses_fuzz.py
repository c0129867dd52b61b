"""Twenty thousand bodies for POST /v1/responses."""

import json
import random

from common.errors import InvalidRequest
from providers.tests.responses_speech import FUNCTION, PROBE, SPEECH, answer_of
from providers.wire.neutral import Text

CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "4"}
WORDS = [
    "model", "input", "instructions", "tools", "tool_choice", "text", "format", "type", "message", "role", "user",
    "content", "input_text", "input_image", "image_url", "function_call", "function_call_output", "call_id", "output",
    "arguments", "name", "reasoning", "summary", "encrypted_content", "item_reference", "id", "function", "include",
    "parameters", "assistant", "system", "output_text", "refusal", "input_file", "file_data", "json_schema", "schema",
    "data:image/png;base64,AA", "redacted_thinking:x", "tool_call:y", "\ud800", "\0", "", "auto", "effort", "none",
]  # fmt: skip


def anything(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return rng.choice(WORDS)
    if kind < 6:
        return rng.choice([None, True, False, 0, -1, 1.5, 10**30])
    if kind == 6:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(WORDS): anything(rng, depth + 1) for _ in range(rng.randrange(6))}


SEED_REQUEST = {
    "model": "m",
    "input": [
        *PROBE,
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "p"},
        CALL,
        {**RESULT, "output": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
        {"role": "user", "content": [{"type": "input_file", "file_data": "AA", "filename": "a.pdf"}]},
    ],
    "tools": [FUNCTION],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "metadata": {"a": "b"},
}


def disturb(rng, value):
    """One place of it is something else."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        return {**value, key: disturb(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], disturb(rng, value[place]), *value[place + 1 :]]
    return anything(rng)


def test_twenty_thousand_bodies_are_read_or_refused_and_repeated_where_they_are_read():
    rng = random.Random(20_000)
    refused = {param_or_answer(body_of(rng, number)) for number in range(20_000)}
    assert {"answered", "input[0].content", "input[1].summary[0].text", "tools[0].name", "text.format.name"} <= refused
    assert "" not in refused


def body_of(rng, number):
    fields = disturb(rng, SEED_REQUEST) if number % 2 else {"model": "m", "input": anything(rng), **anything_in(rng)}
    body = json.dumps(fields).encode()
    if number % 10:
        return body
    cut = rng.randrange(len(body))
    return body[:cut] + bytes([rng.randrange(256)]) + body[cut + 1 :]


def param_or_answer(body):
    try:
        request = SPEECH.parse_request(body)
        SPEECH.prompt_of(request)
    except InvalidRequest as refusal:
        return refusal.param or ("no JSON" if refusal.code == "invalid_json" else "")
    assert json.loads(SPEECH.render_answer(answer_of(Text(text="Hi")), request))["status"] == "completed"
    return "answered"


def anything_in(rng):
    found = anything(rng)
    return found if isinstance(found, dict) else {}
