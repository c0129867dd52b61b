"""Which answers are kept, and that streamed and whole ones are kept alike."""

import json

import msgspec
import pytest

from gateway.cache import heard as reading
from gateway.cache.heard import BYTES_AT_ONCE
from gateway.cache.tests.asking import USED, asked, completion, heard
from providers.tests.recordings import ANTHROPIC, GEMINI, OLLAMA, OPENAI
from providers.wire.neutral import ToolCall
from providers.wire.openai.tasks import parse_task_request

RECORDED = {"openai": OPENAI, "anthropic": ANTHROPIC, "gemini": GEMINI, "ollama": OLLAMA}
# Cut at their limit, refused or filtered, paused, or with fewer choices than were asked for.
NOT_WHOLE = {
    "openai": {"azure_filtered", "openai_refusal", "openai_two_choices", "vllm_reasoning"},
    "anthropic": {"context_window", "max_tokens", "paused", "refusal"},
    "gemini": {"blocked", "safety", "two_candidates"},
    "ollama": {"length", "loaded"},
}
EVERY = [(wire, name) for wire, recordings in RECORDED.items() for name in recordings.names]


async def stored_of(ended, *, now):
    return await reading.stored_of(ended, now=now)


async def kept(dialect, wire, name, *, streamed, **fields):
    received = RECORDED[wire].streamed(name) if streamed else RECORDED[wire].whole(name)
    answer = heard(asked(dialect, **fields), received, wire=wire, streamed=streamed)
    return await stored_of(answer, now=1000)


@pytest.mark.parametrize(("wire", "name"), EVERY)
async def test_whole_answers_are_kept_alike_from_a_stream_and_no_others_are_kept(wire, name):
    fields = {"n": 2} if "two" in name else {}
    whole = await kept("chat", wire, name, streamed=False, **fields)
    stream = await kept("responses", wire, name, streamed=True)
    if name in NOT_WHOLE[wire]:
        assert (whole, stream) == (None, None)
    else:
        assert (whole.usage, whole.cost_nano, whole.charge_nano, whole.stored_at) == (USED, 11, 12, 1000)
        assert said(whole) == said(stream)


def said(stored):
    """What must not differ. Names of calls are made up for vendors that give none."""
    parts = [
        msgspec.structs.replace(part, id="") if isinstance(part, ToolCall) else part
        for choice in stored.answer.choices
        for part in choice.parts
    ]
    return parts, [(choice.finish, choice.stop_sequence, choice.index) for choice in stored.answer.choices]


async def test_what_a_vendors_own_tools_say_is_kept_for_those_who_never_got_it():
    for streamed in (False, True):
        assert await kept("messages", "anthropic", "web_search", streamed=streamed) is None
        assert await kept("chat", "anthropic", "web_search", streamed=streamed) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"annotations": [{"type": "url_citation"}]},
        {"audio": {"id": "a", "data": "x"}},
        {"images": [{"image_url": "x"}]},
        {"unheard_of": 1},
        {"content": [{"type": "text", "text": "x"}, {"type": "reference", "reference_ids": [1]}]},
        {"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_an_answer_that_says_more_than_is_kept_is_not_kept(changed):
    whole = completion(**changed)
    assert await stored_of(heard(asked(), whole), now=1) is None
    loose = json.loads(whole)
    delta = {**loose["choices"][0], "delta": loose["choices"][0].pop("message")}
    stream = f"data: {json.dumps({**loose, 'choices': [delta]})}\n\ndata: [DONE]\n\n".encode()
    assert await stored_of(heard(asked(stream=True), stream, streamed=True), now=1) is None


async def test_fields_that_name_or_count_an_answer_are_not_part_of_it():
    assert await stored_of(heard(asked(), completion()), now=1) is not None
    assert await stored_of(heard(asked(), completion()[:-1] + b', "citations": ["x"]}'), now=1) is None


@pytest.mark.parametrize(
    ("text", "reason", "choices"),
    [("", "stop", 1), ("x", "length", 1), ("x", "content_filter", 1), ("x", "stop", 2)],
    ids=["nothing", "cut", "filtered", "too few"],
)
async def test_an_answer_that_is_not_whole_is_not_kept(text, reason, choices):
    assert await stored_of(heard(asked(n=choices), completion(text, reason)), now=1) is None


@pytest.mark.parametrize("received", [b"", b"{", b"null", b'{"choices":[]}', b'{"error":{"message":"x"}}'])
async def test_what_cannot_be_read_is_not_kept(received):
    assert await stored_of(heard(asked(), received), now=1) is None
    assert await stored_of(heard(asked(stream=True), received, streamed=True), now=1) is None


async def test_a_stream_without_its_end_is_not_kept():
    received = OPENAI.streamed("openai_text")
    assert await stored_of(heard(asked(stream=True), received[: len(received) // 2], streamed=True), now=1) is None


async def test_a_long_stream_is_read_in_slices_and_kept_whole():
    chunk = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "wörd "}, "finish_reason": None}]}
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    line = f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    received = (line * 2000 + f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n").encode()
    assert len(received) > 10 * BYTES_AT_ONCE
    stored = await stored_of(heard(asked(stream=True), received, streamed=True), now=1)
    assert stored.answer.choices[0].parts[0].text == "wörd " * 2000


async def test_what_is_no_conversation_is_kept_byte_by_byte():
    request = parse_task_request(b'{"model":"m","input":"x"}', "embeddings")
    received = b'{"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 1}}'
    stored = await stored_of(heard(request, received), now=1)
    assert (stored.body, stored.answer, stored.content_type) == (received, None, "application/json")
    speech = parse_task_request(b'{"model":"m","input":"x","voice":"v"}', "speech")
    sound = bytes(range(256))
    assert (await stored_of(heard(speech, sound, content_type="audio/mpeg"), now=1)).body == sound


async def test_embeddings_of_another_format_are_kept_as_the_caller_got_them():
    request = parse_task_request(b'{"model":"m","input":"x"}', "embeddings")
    received = b'{"embeddings": [[0.5, 1.0]], "prompt_eval_count": 1}'
    stored = await stored_of(heard(request, received, wire="ollama"), now=1)
    assert json.loads(stored.body)["data"][0]["embedding"] == [0.5, 1.0]
