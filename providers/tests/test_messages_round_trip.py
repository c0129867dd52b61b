"""What both the Messages dialect and the Anthropic wire can say comes through a prompt unchanged."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.tests.messages_speech import prompted
from providers.wire.anthropic.build import body_of
from providers.wire.neutral import Losses

MODEL = "claude-sonnet-4-0"

words = st.text(min_size=1, max_size=12).filter(str.strip)
ids = st.text(alphabet="abcXYZ019_-", min_size=1, max_size=9)
base64s = st.sampled_from(["aGk=", "c2VjcmV0"])
flags = st.booleans()
values = st.one_of(words, st.integers(), st.floats(-9, 9), flags, st.none(), st.lists(words, max_size=2))
objects = st.dictionaries(words, values, max_size=3)


def block(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


def markable(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    control = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
    return st.fixed_dictionaries({"type": st.just(kind), **fields}, optional={"cache_control": control})


urls = block("url", url=words)
pictures = block("base64", media_type=st.sampled_from(["image/png", "image/jpeg"]), data=base64s)
papers = st.one_of(
    urls,
    block("base64", media_type=st.just("application/pdf"), data=base64s),
    block("text", media_type=st.just("text/plain"), data=words),
    block("file", file_id=ids),
)
texts = markable("text", text=words)
images = markable("image", source=st.one_of(urls, pictures))
documents = st.one_of(markable("document", source=papers), markable("document", source=papers, title=words))
shown = st.lists(st.one_of(texts, images, documents), min_size=1, max_size=3)
results = st.one_of(
    markable("tool_result", tool_use_id=ids, content=shown),
    markable("tool_result", tool_use_id=ids, content=shown, is_error=st.just(True)),
    markable("tool_result", tool_use_id=ids),
)
answers = st.one_of(
    texts,
    block("thinking", thinking=st.text(max_size=9), signature=ids),
    block("redacted_thinking", data=words),
    markable("tool_use", id=ids, name=words, input=objects),
)
user_turns = st.builds(
    lambda first, rest: {"role": "user", "content": first + rest}, st.lists(results, max_size=2), shown
)
model_turns = st.builds(lambda content: {"role": "assistant", "content": content}, st.lists(answers, min_size=1))
conversations = st.lists(st.tuples(user_turns, model_turns), min_size=1, max_size=3).map(
    lambda pairs: [turn for pair in pairs for turn in pair]
)
tools = st.fixed_dictionaries(
    {"name": words, "input_schema": objects.map(lambda schema: {"type": "object", **schema})},
    optional={"description": words, "strict": st.just(True)},
)
choices = st.one_of(
    block("none"),
    st.sampled_from(["auto", "any"]).flatmap(
        lambda kind: st.fixed_dictionaries(
            {"type": st.just(kind)}, optional={"disable_parallel_tool_use": st.just(True)}
        )
    ),
    block("tool", name=words),
)
bodies = st.fixed_dictionaries(
    {
        "max_tokens": st.integers(2_000, 9_000),
        "messages": conversations,
        "system": st.lists(texts, min_size=1, max_size=2),
        "tools": st.lists(tools, min_size=1, max_size=2),
    },
    optional={
        "tool_choice": choices,
        "stop_sequences": st.lists(words, min_size=1),
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 99),
        "metadata": st.fixed_dictionaries({"user_id": words}),
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "output_config": st.fixed_dictionaries(
            {"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": objects})}
        ),
    },
)
budgets = st.fixed_dictionaries(
    {"type": st.just("enabled"), "budget_tokens": st.integers(1_024, 1_999)},
    optional={"display": st.sampled_from(["summarized", "omitted"])},
)


def sent(asked: dict[str, Any]) -> Any:
    """What the Anthropic wire makes of a request of the Messages dialect. Raises InvalidRequest for any loss."""
    prompt = prompted(**asked)
    return msgspec.json.decode(msgspec.json.encode(body_of(prompt, MODEL, Losses(prompt, MODEL, drop=False))))


@settings(max_examples=100, deadline=None)
@given(bodies)
def test_a_request_comes_through_unchanged(asked):
    assert sent(asked) == {**asked, "model": MODEL}


@settings(max_examples=50, deadline=None)
@given(conversations, budgets)
def test_a_budget_of_thoughts_comes_through_unchanged(conversation, budget):
    asked = {"max_tokens": 2_000, "messages": conversation, "thinking": budget}
    assert sent(asked) == {**asked, "model": MODEL}
