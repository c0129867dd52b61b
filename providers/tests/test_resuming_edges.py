"""What the caller has of a broken answer is read as it was shown, or not taken up at all."""

import json

import msgspec
import pytest

from providers.tests.test_resuming import CALL, HALF, delta, request, target
from providers.wire.registry import spoken
from providers.wire.resuming import said_of
from providers.wire.shapes import Quirks

LEGACY = Quirks(paths={"completions": "/completions"})
LAST = delta(content="three").rstrip()
SOUND = delta(audio={"data": "UklGRg==", "transcript": "one "})


def anthropic(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


MESSAGE = anthropic("message_start", message={"id": "msg_1", "model": "c", "usage": {"input_tokens": 3}}) + anthropic(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
WORDS = anthropic("content_block_delta", index=0, delta={"type": "text_delta", "text": "one "})
MORE = anthropic("content_block_delta", index=0, delta={"type": "text_delta", "text": "two"})
STOP = anthropic("message_stop")


def heard(*pieces, wire="openai", asked=None, ended=False, quirks=None):
    """What was shown, and what is made of it; `ended`: by the provider itself, rather than by the network."""
    asked, made = asked or request(), target(wire)
    if quirks is not None:
        made = msgspec.structs.replace(made, quirks=quirks)
    parser = spoken(asked, made).parse_stream(asked)
    chunks = [chunk for piece in pieces for chunk in parser.feed(piece)]
    chunks += parser.close() if ended else []
    return chunks, said_of(asked, made, b"".join(pieces), parser)


def test_nobody_goes_on_with_words_in_the_legacy_shape_which_has_no_reader():
    asked = request("completions", prompt="Hi")
    event = b'data: {"id":"c","object":"text_completion","choices":[{"index":0,"text":"one "}]}\n\n'
    assert heard(event, asked=asked, quirks=LEGACY)[1] is None
    assert heard(HALF, asked=asked)[1].text == "one two "


def test_a_last_event_without_its_end_was_shown_where_the_provider_itself_ended_the_stream():
    for asked, wire, pieces, begun, whole in (
        (request(), "openai", (HALF, LAST), "one two ", "one two three"),
        (request(), "anthropic", (MESSAGE, WORDS, MORE.rstrip()), "one ", "one two"),
        (request("messages", max_tokens=5), "anthropic", (MESSAGE, WORDS, MORE.rstrip()), "one ", "one two"),
    ):
        for ended, text in ((False, begun), (True, whole)):
            chunks, said = heard(*pieces, wire=wire, asked=asked, ended=ended)
            assert said.text == "".join(chunk.text for chunk in chunks) == text
            assert said.hindrance == ""


def test_words_in_one_event_with_an_error_were_never_shown():
    event = json.loads(delta(content="two ")[6:]) | {"error": {"message": "broken"}}
    chunks, said = heard(delta(role="assistant", content="one "), f"data: {json.dumps(event)}\n\n".encode())
    assert chunks[-1].error is not None
    assert said.text == "one "


@pytest.mark.parametrize("received", [(MESSAGE + WORDS + STOP,), (MESSAGE, WORDS + MORE, STOP)])
def test_words_that_came_with_an_end_too_early_are_shown_ahead_of_it_and_the_end_is_not(received):
    chunks, said = heard(*received, wire="anthropic")
    *shown, last = chunks
    assert (last.done, last.finished, last.raw) == (True, False, b"")
    assert "".join(chunk.text for chunk in shown) == said.text != ""
    assert not any(chunk.done for chunk in shown)
    assert b"DONE" not in b"".join(chunk.raw for chunk in shown)
    assert b"DONE" in said.renderer.end()


@pytest.mark.parametrize(
    ("received", "hindrance"),
    [
        (delta(role="assistant") + SOUND, "more_than_words"),
        (HALF + SOUND + b'data: {"choices":[{"ind\n\n', "more_than_words"),
        (HALF + SOUND[:-20], ""),
        (HALF.replace(b'"created": 7', b'"created": 7, "prompt_filter_results": [{"index": 0}]'), ""),
        (HALF + delta(tool_calls=[CALL]), "tool_call"),
        (HALF + delta(custom={"a": 1}) + b'data: {"error": {"message": "broken"}}\n\n', "more_than_words"),
    ],
)
def test_what_is_more_than_words_cannot_be_gone_on_with(received, hindrance):
    assert heard(received)[1].hindrance == hindrance


def test_nor_can_a_vendors_own_blocks():
    search = anthropic("content_block_start", index=1, content_block={"type": "server_tool_use", "name": "web"})
    asked = request("messages", max_tokens=5)
    assert heard(MESSAGE + WORDS, wire="anthropic", asked=asked)[1].hindrance == ""
    assert heard(MESSAGE + WORDS + search, wire="anthropic", asked=asked)[1].hindrance == "more_than_words"


@pytest.mark.parametrize("fields", [{"modalities": ["text", "audio"]}, {"audio": {"voice": "alloy"}}])
def test_nor_an_answer_that_is_asked_for_as_sound_too(fields):
    assert heard(HALF, asked=request(**fields))[1].hindrance == "more_than_words"
    assert heard(HALF, asked=request(modalities=["text"]))[1].hindrance == ""
