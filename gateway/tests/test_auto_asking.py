"""What was asked is found in every dialect, and nothing a client can send breaks the classifier."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.auto.asking import HALF, Asked, texts_of
from gateway.routing.auto.classifier import TIERS, trained
from gateway.routing.auto.features import MOST_INSTRUCTION, MOST_WORDS, features_of, parted
from providers.wire.registry import SPEECHES
from providers.wire.shapes import ChatRequest

QUESTION = "How deep is the Baltic Sea?"


def request(dialect, **body):
    given_to_all = {"model": "auto"} | ({"max_tokens": 100} if dialect == "messages" else {})
    return SPEECHES[dialect].parse_request(json.dumps(given_to_all | body).encode())


def bare(**fields):
    """As if it had come through: fields of any content, unchecked."""
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return ChatRequest("auto", False, False, None, 1, raw, 0)


def said(role, content):
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("chat", {"messages": [said("user", QUESTION)]}),
        ("chat", {"messages": [said("user", [{"type": "text", "text": QUESTION}])]}),
        ("messages", {"messages": [said("user", [{"type": "text", "text": QUESTION}])]}),
        ("responses", {"input": QUESTION}),
        ("responses", {"input": [said("user", [{"type": "input_text", "text": QUESTION}])]}),
        ("completions", {"prompt": QUESTION}),
        ("completions", {"prompt": [QUESTION, "Another one?"]}),
    ],
)
def test_the_question_is_found_in_every_dialect(dialect, body):
    assert texts_of(request(dialect, **body)).text == QUESTION


def test_the_last_turn_of_the_user_counts_and_what_came_before_is_measured():
    turns = [said("system", "Be brief."), said("user", "Hi"), said("assistant", "Hello!"), said("user", QUESTION)]
    asked = texts_of(request("chat", messages=turns))
    assert (asked.text, asked.turns, asked.after_tools) == (QUESTION, 2, False)
    assert asked.system_bytes == len('"Be brief."')
    assert asked.history_bytes == len('"Hi"') + len('"Hello!"')


ASKED = said("user", QUESTION)


@pytest.mark.parametrize(
    ("field", "turns"),
    [
        ("messages", [ASKED, said("assistant", None), said("tool", "9")]),
        ("messages", [ASKED, said("assistant", "…"), said("user", [{"type": "tool_result", "content": "9"}])]),
        ("input", [ASKED, {"type": "function_call_output", "call_id": "a", "output": "9"}]),
    ],
)
def test_amid_tool_calls_the_question_is_what_the_user_asked_before_them(field, turns):
    asked = texts_of(bare(**{field: turns}))
    assert (asked.text, asked.after_tools) == (QUESTION, True)


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, ""),
        ({"response_format": {"type": "text"}}, ""),
        ({"response_format": {"type": "json_object"}}, "json"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}, "schema"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "schema"),
        ({"output_config": {"format": {"type": "json_schema"}, "effort": "low"}}, "schema"),
        ({"text": {"format": None}}, ""),
        ({"response_format": 5}, ""),
    ],
)
def test_the_form_of_the_answer_is_read_from_either_field(fields, form):
    assert texts_of(bare(**fields)).form == form


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"reasoning_effort": "high"}, "high"),
        ({"reasoning": {"effort": "low"}}, "low"),
        ({"reasoning": {"summary": "auto"}}, ""),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "medium"),
        ({"thinking": {"type": "disabled"}}, ""),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "max"),
        ({"reasoning_effort": 7, "thinking": "yes"}, ""),
    ],
)
def test_the_effort_of_a_reasoning_model_is_read_as_each_vendor_says_it(fields, effort):
    assert texts_of(bare(**fields)).effort == effort


def test_only_head_and_tail_of_a_long_text_are_looked_at():
    asked = texts_of(bare(messages=[said("user", "a" * 50_000 + "b" * 50_000)]))
    assert asked.text == "a" * HALF + "\n\n" + "b" * HALF
    assert asked.characters == 100_000


def test_pasted_material_is_told_from_what_instructs():
    letter = "Dear residents,\n\nthe water will be off.\n\nThe management."
    assert parted(f"Who wrote this?\n\n{letter}") == ("Who wrote this?", letter)
    assert parted(f"{letter}\n\nWho wrote this?")[0] == "Who wrote this?"
    assert parted(f"Translate.\n\n{letter}") == (
        "Translate.\nThe management.",
        "Dear residents,\n\nthe water will be off.",
    )


@pytest.mark.parametrize("text", ["w ", "word", "设计系统", "(a,b);", "\n\n", "?\n\n", "a?\n\n"])
def test_the_work_is_bounded_however_long_the_text(text):
    asked = texts_of(bare(messages=[said("user", text * 50_000)]))
    instruction, _ = parted(asked.text)
    assert len(asked.text) <= 2 * HALF + 2
    assert len(instruction) <= MOST_INSTRUCTION + 1
    assert len(features_of(asked)) <= 2 * MOST_WORDS + 80


NAMES = "messages input prompt system instructions tools response_format text reasoning thinking reasoning_effort"
KEYS = st.sampled_from(["role", "content", "type", "text", "format", "effort"]) | st.text(max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES.split()), JSON))
def test_fields_of_any_content_get_a_tier(fields):
    found = trained().classify(bare(**fields))
    assert found.tier in TIERS
    assert sum(found.probabilities) == pytest.approx(1)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=3_000), st.integers(0, 10**9), st.integers(0, 10**6), st.none() | st.integers(0, 10**9))
def test_any_text_gets_features_between_0_and_1(text, turns, tools, limit):
    asked = Asked(
        text=text, characters=len(text), turns=turns, tools=tools, system_bytes=turns, max_output_tokens=limit
    )
    features = features_of(asked)
    assert all(0 <= value <= 1 for value in features.values()), features


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b"[", b'"\\ud800"', b"[" * 5_000 + b"]" * 5_000, b'[{"role": "user"}]', b""]
)
def test_what_is_no_json_counts_as_not_said(raw):
    request = ChatRequest("auto", False, False, None, 1, {"messages": msgspec.Raw(raw), "tools": msgspec.Raw(raw)}, 0)
    assert trained().classify(request).tier in TIERS


def test_the_same_prompt_always_gets_the_same_answer_with_reasons_in_words():
    prove = bare(messages=[said("user", "Prove that every tree with at least two vertices has two leaves.")])
    first, second = trained().classify(prove), trained().classify(prove)
    assert first == second
    assert first.tier == "reasoning"
    assert "words of proof and deduction" in first.reasons
