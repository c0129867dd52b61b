"""What was built is read again by the dialect that this wire speaks: nothing that both can say is lost."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.tests.test_anthropic_request import SCHEMA, WIRE, target
from providers.wire.anthropic.prompt import prompt_of
from providers.wire.neutral import (
    Document,
    Format,
    Image,
    Message,
    Prompt,
    Reasoning,
    RedactedThinking,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.shapes import ChatRequest

words = st.text(min_size=1, max_size=12).filter(str.strip)
ids = st.text("abcXYZ_-09", min_size=1, max_size=12)
caches = st.sampled_from(["", "5m", "1h"])
texts = st.builds(Text, text=words, cache=caches)
images = st.one_of(
    st.builds(Image, url=st.just("https://example.org/a.png"), cache=caches),
    st.builds(Image, encoded=st.just("AAAA"), media_type=st.sampled_from(["image/png", "image/gif"]), cache=caches),
)
documents = st.one_of(
    st.builds(Document, encoded=st.just("JVBERi0="), title=st.one_of(st.just(""), words), cache=caches),
    st.builds(Document, encoded=st.just("aMOp"), media_type=st.just("text/plain"), cache=caches),
    st.builds(Document, url=st.just("https://example.org/a.pdf")),
    st.builds(Document, file_id=ids),
)
thoughts = st.one_of(st.builds(Thinking, text=words, signature=ids), st.builds(RedactedThinking, encoded=ids))
calls = st.builds(ToolCall, id=ids, name=ids, arguments=st.sampled_from(["{}", '{"a": [1, 2.50]}']), cache=caches)
results = st.builds(
    ToolResult,
    call_id=ids,
    parts=st.lists(st.one_of(texts, images, documents), max_size=2).map(tuple),
    is_error=st.booleans(),
    cache=caches,
)
tools = st.builds(
    Tool,
    name=ids,
    description=st.one_of(st.just(""), words),
    parameters=st.just(SCHEMA),
    strict=st.sampled_from([None, True]),
    cache=caches,
)
reasonings = st.one_of(
    st.none(),
    st.builds(Reasoning, effort=st.sampled_from(["", "low", "xhigh"]), summary=st.sampled_from(["", "auto", "none"])),
)


def several(parts: Any, least: int = 1) -> Any:
    return st.lists(parts, min_size=least, max_size=3).map(tuple)


@st.composite
def conversations(draw):
    """In turns, as they come back: results of tools in a message of their own before what the user says."""
    messages = [Message(role="system", parts=parts) for parts in draw(st.lists(several(texts), max_size=1))]
    for _ in range(draw(st.integers(1, 3))):
        if given := draw(several(results, 0)):
            messages.append(Message(role="tool", parts=given))
        messages.append(Message(role="user", parts=draw(several(st.one_of(texts, images, documents)))))
        messages.append(Message(role="assistant", parts=draw(several(st.one_of(thoughts, texts, calls)))))
    return tuple(messages)


prompts = st.builds(
    Prompt,
    messages=conversations(),
    tools=several(tools),
    tool_choice=st.one_of(
        st.none(),
        st.builds(ToolChoice, mode=st.sampled_from(["auto", "required"]), parallel=st.sampled_from([None, False])),
    ),
    format=st.sampled_from([None, Format(kind="schema", schema=SCHEMA, strict=True)]),
    max_output_tokens=st.integers(1, 1 << 20),
    temperature=st.one_of(st.none(), st.floats(0, 1)),
    top_p=st.one_of(st.none(), st.floats(0, 1)),
    top_k=st.one_of(st.none(), st.integers(0, 500)),
    stop=st.lists(words, max_size=2).map(tuple),
    user=st.one_of(st.just(""), words),
    reasoning=reasonings,
    service_tier=st.sampled_from(["", "auto", "default"]),
)


@settings(max_examples=100, deadline=None)
@given(prompts)
def test_what_was_built_reads_as_what_was_asked(prompt):
    """By the reader of the dialect that this wire speaks."""
    request = WIRE.build_prompt(prompt, target("claude-opus-4-6"), stream=False)
    assert request.dropped == ()
    fields = msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])
    read = prompt_of(
        ChatRequest(
            model="m",
            stream=False,
            include_usage=False,
            max_output_tokens=None,
            choices=1,
            fields=fields,
            input_bytes=len(request.body),
            dialect="messages",
        )
    )
    assert msgspec.structs.replace(read, names={}) == prompt
