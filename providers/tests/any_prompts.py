"""Any prompt that chat completions can say, as hypothesis makes them, in its usual form."""

import base64

import msgspec
from hypothesis import strategies as st

from providers.wire.neutral import (
    Audio,
    Document,
    Format,
    Image,
    Message,
    Prompt,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

some_text = st.text(min_size=1, max_size=20)
names = st.text("abcXYZ_-09", min_size=1, max_size=12)
base64s = st.binary(min_size=1, max_size=12).map(lambda content: base64.b64encode(content).decode())
schemas = st.sampled_from([None, {"type": "object"}, {"type": "object", "properties": {"é": {"type": "string"}}}]).map(
    lambda schema: None if schema is None else msgspec.Raw(msgspec.json.encode(schema))
)
texts = st.builds(Text, text=some_text)
images = st.one_of(
    st.builds(Image, url=st.just("https://example.org/a.png"), detail=st.sampled_from(["", "low", "high"])),
    st.builds(Image, encoded=base64s, media_type=st.sampled_from(["image/png", "image/webp"])),
)
documents = st.one_of(st.builds(Document, encoded=base64s, title=names), st.builds(Document, file_id=names))
sounds = st.builds(Audio, encoded=base64s, format=st.sampled_from(["wav", "mp3"]))
user_parts = st.lists(st.one_of(texts, images, documents, sounds), max_size=4).map(tuple)
calls = st.builds(ToolCall, id=names, name=names, arguments=st.sampled_from(["", "{}", '{"a":1}', '{"ü":[1,']))
results = st.builds(ToolResult, call_id=names, parts=st.lists(texts, max_size=3).map(tuple))


@st.composite
def assistant_parts(draw):
    refusal = draw(st.lists(st.builds(Refusal, text=some_text), max_size=1))
    return (*draw(st.lists(texts, max_size=2)), *refusal, *draw(st.lists(calls, max_size=3)))


@st.composite
def conversations(draw):
    """No two messages of results in a row: they would be one."""
    named = st.one_of(st.just(""), names)
    turns = st.one_of(
        st.builds(Message, role=st.just("system"), parts=st.lists(texts, max_size=2).map(tuple), name=named),
        st.builds(Message, role=st.just("user"), parts=user_parts, name=named),
        st.builds(Message, role=st.just("assistant"), parts=assistant_parts(), name=named),
        st.builds(Message, role=st.just("tool"), parts=st.lists(results, min_size=1, max_size=3).map(tuple)),
    )
    found = draw(st.lists(turns, min_size=1, max_size=6))
    return tuple(
        message
        for position, message in enumerate(found)
        if position == 0 or message.role != "tool" or found[position - 1].role != "tool"
    )


tools = st.builds(
    Tool,
    name=names,
    description=st.sampled_from(["", "What it does"]),
    parameters=schemas,
    strict=st.sampled_from([None, True, False]),
)
parallel = st.sampled_from([None, True, False])
tool_choices = st.one_of(
    st.none(),
    st.builds(ToolChoice, mode=st.sampled_from(["auto", "none", "required"]), parallel=parallel),
    st.builds(ToolChoice, mode=st.just("tool"), name=names, parallel=parallel),
)
formats = st.one_of(
    st.none(),
    st.builds(Format, kind=st.sampled_from(["text", "json"])),
    st.builds(
        Format,
        kind=st.just("schema"),
        name=names,
        description=names,
        schema=schemas,
        strict=st.sampled_from([None, True]),
    ),
)
reasonings = st.one_of(
    st.none(),
    st.builds(Reasoning, effort=st.sampled_from(["minimal", "low", "medium", "high"])),
    st.just(Reasoning(enabled=False)),
)
numbers = st.one_of(st.none(), st.floats(-2, 2))


@st.composite
def prompts(draw):
    offered = tuple(draw(st.lists(tools, max_size=3)))
    return Prompt(
        messages=draw(conversations()),
        tools=offered,
        tool_choice=draw(tool_choices) if offered else None,
        format=draw(formats),
        max_output_tokens=draw(st.one_of(st.none(), st.integers(1, 10**6))),
        temperature=draw(numbers),
        top_p=draw(numbers),
        stop=tuple(draw(st.lists(some_text, max_size=4))),
        seed=draw(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))),
        presence_penalty=draw(numbers),
        frequency_penalty=draw(numbers),
        logprobs=draw(st.booleans()),
        top_logprobs=draw(st.one_of(st.none(), st.integers(0, 20))),
        choices=draw(st.integers(1, 8)),
        user=draw(st.one_of(st.just(""), names)),
        reasoning=draw(reasonings),
        service_tier=draw(st.sampled_from(["", "flex", "priority"])),
        others=draw(st.sampled_from([{}, {"metadata": msgspec.Raw(b'{"a":"b"}')}])),
    )
