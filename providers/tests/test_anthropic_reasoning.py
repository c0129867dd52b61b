import json

import pytest

from common.errors import InvalidRequest
from providers.tests.test_anthropic_request import WIRE, asked, body, target
from providers.wire.anthropic.reasoning import generation_of
from providers.wire.neutral import Reasoning

ADAPTIVE = {"type": "adaptive"}


@pytest.mark.parametrize(
    ("model", "adaptive", "budgets", "off", "sampling", "forced_tools"),
    [
        ("claude-3-7-sonnet-20250219", False, True, "omitted", True, True),
        ("claude-sonnet-4-20250514", False, True, "omitted", True, True),
        ("claude-haiku-4-5@20251001", False, True, "omitted", True, True),
        ("us.anthropic.claude-opus-4-6-v1", True, True, "omitted", True, True),
        ("anthropic/claude-opus-4.8", True, False, "omitted", False, True),
        ("claude-sonnet-5", True, False, "disabled", False, True),
        ("claude-opus-5", True, False, "disabled", False, True),
        ("claude-haiku-5-5", True, False, "disabled", False, True),
        ("claude-sonnet-5-5", True, False, "between_tools", False, False),
        ("claude-opus-5-5", True, False, "never", False, False),
        ("claude-fable-5", True, False, "never", False, True),
        ("claude-fable-5-2", True, False, "never", False, False),
        ("claude-mythos-preview", True, False, "never", False, True),
        ("deepseek-chat", False, True, "disabled", True, True),
    ],
)
def test_a_models_name_tells_its_generation(model, adaptive, budgets, off, sampling, forced_tools):
    found = generation_of(model)
    assert (found.adaptive, found.budgets, found.off) == (adaptive, budgets, off)
    assert (found.sampling, found.forced_tools) == (sampling, forced_tools)


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort"),
    [
        ("claude-opus-5-5", Reasoning(effort="minimal"), ADAPTIVE, "low"),
        ("claude-opus-5-5", Reasoning(effort="xhigh", summary="auto"), ADAPTIVE | {"display": "summarized"}, "xhigh"),
        ("claude-opus-5-5", Reasoning(summary="none"), ADAPTIVE | {"display": "omitted"}, None),
        ("claude-opus-4-6", Reasoning(effort="max"), ADAPTIVE, "max"),
        ("claude-opus-4-6", Reasoning(budget_tokens=2048), {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-opus-4-8", Reasoning(budget_tokens=50_000), ADAPTIVE, "high"),
        ("claude-sonnet-4-5", Reasoning(effort="medium"), {"type": "enabled", "budget_tokens": 5000}, None),
        ("claude-sonnet-4-5", Reasoning(effort="minimal"), {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-sonnet-4-5", Reasoning(), {"type": "enabled", "budget_tokens": 5000}, None),
        ("claude-sonnet-4-5", Reasoning(effort="none"), None, None),
        ("claude-opus-4-7", Reasoning(enabled=False), None, None),
        ("claude-opus-5", Reasoning(effort="high", enabled=False), {"type": "disabled"}, "high"),
        ("claude-sonnet-5-5", Reasoning(effort="none"), {"type": "between_tools"}, None),
    ],
)
def test_each_generation_is_told_to_think_in_its_own_words(model, reasoning, thinking, effort):
    sent = body(asked(reasoning=reasoning, max_output_tokens=10_000), model)
    assert sent.get("thinking") == thinking
    assert sent.get("output_config", {}).get("effort") == effort


def test_a_model_that_always_thinks_cannot_be_told_not_to():
    with pytest.raises(InvalidRequest, match="'reasoning_effort'"):
        body(asked(reasoning=Reasoning(effort="none"), names={"reasoning": "reasoning_effort"}), "claude-opus-5-5")
    sent = body(asked(reasoning=Reasoning(effort="none")), "claude-opus-5-5", drop_params=True)
    assert "thinking" not in sent


def test_no_thought_fits_into_so_few_tokens():
    with pytest.raises(InvalidRequest, match="'reasoning'"):
        body(asked(reasoning=Reasoning(effort="low"), max_output_tokens=1024), "claude-sonnet-4-5")


def test_a_budget_without_a_limit_leaves_room_for_the_answer():
    sent = body(asked(reasoning=Reasoning(budget_tokens=30_000)), "claude-sonnet-4-5")
    assert sent["max_tokens"] == 30_000 + 16_384


@pytest.mark.parametrize(
    ("model", "fields", "sent", "lost"),
    [
        ("claude-opus-4-6", {"temperature": 0.3, "top_p": 0.5, "top_k": 3}, {"temperature", "top_p", "top_k"}, ()),
        ("claude-opus-5", {"temperature": 1.0, "top_p": 1.0}, set(), ()),
        ("claude-opus-5", {"temperature": 0.0}, set(), ("temperature",)),
        ("claude-haiku-5-5", {"top_p": 0.5, "top_k": 3}, set(), ("top_p", "top_k")),
        (
            "claude-sonnet-4-5",
            {"temperature": 0.3, "top_p": 0.99, "top_k": 3, "reasoning": Reasoning(effort="high")},
            {"top_p"},
            ("temperature", "top_k"),
        ),
    ],
)
def test_sampling_is_for_models_that_can_be_told(model, fields, sent, lost):
    request = WIRE.build_prompt(asked(**fields), target(model, drop_params=True), stream=False)
    assert set(json.loads(request.body)) & {"temperature", "top_p", "top_k"} == sent
    assert request.dropped == lost
