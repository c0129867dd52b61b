from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidRequest
from providers.tests.recordings import GEMINI
from providers.tests.wire_prompts import ASKED, body_of, prompt, target_of
from providers.wire.gemini.adapter import GeminiWire
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

BASE = "https://generativelanguage.googleapis.com/v1beta"
WIRE = GeminiWire()
OLDER = target_of("gemini-2.5-flash", BASE)
NEWER = target_of("gemini-3-pro-preview", BASE)
DROPPING = target_of("gemini-2.5-flash", BASE, drop=True)


def contents(*messages: Message, target=OLDER) -> Any:
    return body_of(WIRE, prompt(messages=messages), target)["contents"]


def resolution(*images: Image) -> Any:
    return body_of(WIRE, prompt(messages=(Message(role="user", parts=images),)), OLDER).get("generationConfig")


def test_instructions_stand_ahead_of_all_turns():
    messages = (
        Message(role="system", parts=(Text(text="Be brief."),)),
        ASKED,
        Message(role="system", parts=(Text(text="In French."),)),
    )
    body = body_of(WIRE, prompt(messages=messages), OLDER)
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "In French."}]}
    assert [turn["role"] for turn in body["contents"]] == ["user"]


def test_instructions_alone_are_what_the_user_says():
    body = body_of(WIRE, prompt(messages=(Message(role="system", parts=(Text(text="Say hi."),)),)), OLDER)
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}


def test_turns_of_one_side_are_one():
    again = Message(role="user", parts=(Text(text="Again"),))
    refused = Message(role="assistant", parts=(Refusal(text="No."),))
    assert contents(ASKED, again, refused) == [
        {"role": "user", "parts": [{"text": "Hello"}, {"text": "Again"}]},
        {"role": "model", "parts": [{"text": "No."}]},
    ]


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (Image(encoded="aa", media_type="image/webp"), [{"inlineData": {"mimeType": "image/webp", "data": "aa"}}]),
        (
            Image(url="https://x.org/a.JPG?s=1"),
            [{"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.org/a.JPG?s=1"}}],
        ),
        (Image(url="https://x.org/a"), [{"fileData": {"fileUri": "https://x.org/a"}}]),
        (Audio(encoded="aa", format="wav"), [{"inlineData": {"mimeType": "audio/wav", "data": "aa"}}]),
        (Document(encoded="aa"), [{"inlineData": {"mimeType": "application/pdf", "data": "aa"}}]),
        (
            Document(url="https://x.org/a.pdf", title="A"),
            [{"text": "A:"}, {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.org/a.pdf"}}],
        ),
        (
            Document(file_id="files/abc"),
            [{"fileData": {"mimeType": "application/pdf", "fileUri": f"{BASE}/files/abc"}}],
        ),
    ],
)
def test_media_are_sent_along_or_linked(part, sent):
    assert contents(Message(role="user", parts=(part,))) == [{"role": "user", "parts": sent}]


@pytest.mark.parametrize(
    ("details", "sent"),
    [
        (("", "auto"), None),
        (("low", "auto"), {"mediaResolution": "MEDIA_RESOLUTION_LOW"}),
        (("low", "high"), {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}),
    ],
)
def test_the_highest_resolution_that_is_asked_for_holds(details, sent):
    images = tuple(Image(encoded="aa", media_type="image/png", detail=detail) for detail in details)
    assert resolution(*images) == sent


CALLED = Message(
    role="assistant",
    parts=(
        Thinking(text="Two."),
        ToolCall(id="1", name="get_weather", arguments='{"n": 1.50}', signature="c2ln"),
        ToolCall(id="2", name="now", arguments=""),
    ),
)
ANSWERED = (
    Message(role="tool", parts=(ToolResult(call_id="2", parts=(Text(text="no"), Text(text="way")), is_error=True),)),
    Message(role="tool", parts=(ToolResult(call_id="1", parts=(Image(encoded="aa", media_type="image/png"),)),)),
)


@pytest.mark.parametrize("target", [OLDER, NEWER])
def test_calls_and_results_go_back_with_names_and_proofs(target):
    body = WIRE.build_prompt(prompt(messages=(ASKED, CALLED, *ANSWERED)), target, stream=False).body
    _, called, answered = msgspec.json.decode(body)["contents"]
    assert called == {
        "role": "model",
        "parts": [
            {"text": "Two.", "thought": True},
            {"functionCall": {"id": "1", "name": "get_weather", "args": {"n": 1.5}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "2", "name": "now", "args": {}}},
        ],
    }
    assert b'"args":{"n": 1.50}' in body
    picture = {"inlineData": {"mimeType": "image/png", "data": "aa"}}
    shown = {"id": "1", "name": "get_weather", "response": {"output": ""}}
    assert answered["role"] == "user"
    assert answered["parts"] == [
        {"functionResponse": {"id": "2", "name": "now", "response": {"error": "no\nway"}}},
        *(
            [{"functionResponse": {**shown, "parts": [picture]}}]
            if target is NEWER
            else [{"functionResponse": shown}, picture]
        ),
    ]


def test_a_call_whose_proof_was_lost_is_marked_where_gemini_wants_one():
    calls = Message(role="assistant", parts=(ToolCall(id="1", name="a", arguments="{}"),) * 2)
    signatures = {
        target.model: [part.get("thoughtSignature") for part in contents(ASKED, calls, target=target)[1]["parts"]]
        for target in (OLDER, NEWER)
    }
    assert signatures == {
        "gemini-2.5-flash": [None, None],
        "gemini-3-pro-preview": ["skip_thought_signature_validator", None],
    }


def test_the_proof_of_a_text_goes_back_onto_it():
    said = Message(role="assistant", parts=(Text(text="42."), Thinking(text="", signature="c2ln")))
    alone = Message(role="assistant", parts=(Thinking(text="", signature="c2ln"),))
    ahead = Message(role="assistant", parts=tuple(reversed(said.parts)))
    assert contents(ASKED, said)[1]["parts"] == [{"text": "42.", "thoughtSignature": "c2ln"}]
    assert contents(ASKED, ahead)[1]["parts"] == [{"text": "42.", "thoughtSignature": "c2ln"}]
    assert contents(ASKED, alone)[1]["parts"] == [{"text": "", "thoughtSignature": "c2ln"}]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ((ASKED, *ANSWERED), "messages[1].tool_call_id"),
        (
            (ASKED, Message(role="assistant", parts=(ToolCall(id="1", name="a", arguments="[1]"),))),
            "messages[1].tool_calls[0].arguments",
        ),
        (
            (
                Message(
                    role="assistant",
                    parts=(Text(text="x"), ToolCall(id="1", name="a", arguments="{")),
                ),
            ),
            "messages[0].tool_calls[0].arguments",
        ),
    ],
)
def test_what_no_vendor_could_read_is_told_by_its_place(messages, param):
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(prompt(messages=messages), DROPPING, stream=False)
    assert raised.value.param == param


@pytest.mark.parametrize("name", ["text", "thinking_calls", "signed_text", "safety", "logprobs", "vertex_audio"])
def test_an_answer_goes_back_as_it_came(name):
    recorded = GEMINI.whole(name)
    said = Message(role="assistant", parts=WIRE.read_answer(recorded).choices[0].parts)
    assert contents(ASKED, said, target=NEWER)[1] == msgspec.json.decode(recorded)["candidates"][0]["content"]


words = st.text(max_size=20)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, text=words),
    st.builds(Image, encoded=words, media_type=st.just("image/png"), url=words),
    st.builds(Thinking, text=words, signature=words),
    st.builds(ToolCall, id=words, name=words, arguments=st.sampled_from(["", "{}", '{"a":[1,2]}']), signature=words),
    st.builds(Refusal, text=words),
    st.builds(Document, encoded=words, url=words, title=words),
)
conversations = st.lists(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), parts=st.lists(parts).map(tuple)),
    max_size=5,
).map(tuple)


@settings(max_examples=200, deadline=None)
@given(conversations, st.sampled_from([DROPPING, target_of("gemini-3-flash", BASE, drop=True)]))
def test_every_word_of_a_conversation_is_sent(messages, target):
    sent = body_of(WIRE, prompt(messages=messages), target)
    spoken = [part for turn in sent.get("contents", []) for part in turn["parts"]]
    spoken += sent.get("systemInstruction", {"parts": []})["parts"]
    texts = sorted(part["text"] for part in spoken if part.get("text"))
    titles = [f"{part.title}:" for message in messages for part in message.parts
              if isinstance(part, Document) and part.title and (part.encoded or part.url)]  # fmt: skip
    said = [part.text for message in messages for part in message.parts if isinstance(part, Text | Thinking | Refusal)]
    assert texts == sorted([text for text in said if text] + titles)
    calls = [part.name for message in messages for part in message.parts if isinstance(part, ToolCall)]
    assert sorted(part["functionCall"]["name"] for part in spoken if "functionCall" in part) == sorted(calls)
    turns = [turn["role"] for turn in sent.get("contents", [])]
    assert all(first != second for first, second in pairwise(turns))
