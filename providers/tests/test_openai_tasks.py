import json
import random

import pytest

from common.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from providers.tests.wire_streams import fed
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.tasks import TaskStream, parse_task_request
from providers.wire.shapes import ChatRequest, Chunk, Usage

WIRE = OpenAIWire()
EMBEDDED = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, -0.2]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
DRAWN = {
    "created": 1,
    "data": [{"b64_json": "QQ=="}],
    "usage": {
        "input_tokens": 50,
        "output_tokens": 4160,
        "total_tokens": 4210,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40, "cached_tokens": 5},
    },
}
HEARD = {
    "text": "Grüße",
    "usage": {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 59,
    },
}
TRANSCRIPT = (
    b'data: {"type":"transcript.text.delta","delta":"Gr\xc3\xbc"}\n\n'
    b'data: {"type":"transcript.text.delta","delta":"\xc3\x9fe"}\n\n'
    b'data: {"type":"transcript.text.done","text":"Gr\xc3\xbc\xc3\x9fe","usage":{"type":"tokens","input_tokens":14,'
    b'"input_token_details":{"audio_tokens":14},"output_tokens":45,"total_tokens":59}}\n\n'
)


@pytest.mark.parametrize(
    ("dialect", "answer", "usage"),
    [
        ("embeddings", EMBEDDED, Usage(input_tokens=8)),
        ("images", DRAWN, Usage(input_tokens=50, output_tokens=4160, cache_read_tokens=5)),
        ("transcriptions", HEARD, Usage(input_tokens=14, output_tokens=45, input_audio_tokens=14)),
        ("transcriptions", {"text": "a", "usage": {"type": "duration", "seconds": 9}}, None),
        ("moderations", {"id": "modr-1", "model": "omni", "results": []}, None),
        ("rerank", {"results": [], "usage": {"total_tokens": 12}}, Usage(input_tokens=12)),
        ("rerank", {"results": [], "meta": {"billed_units": {"search_units": 1}}}, None),
        (
            "rerank",
            {"results": [], "meta": {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 7}}},
            Usage(input_tokens=7),
        ),
        ("rerank", {"something": "else", "usage": 5}, None),
        ("embeddings", [[0.1]], None),
    ],
)
def test_a_whole_answer_passes_with_the_tokens_that_it_reports(dialect, answer, usage):
    body = json.dumps(answer).encode()
    chunk = WIRE.parse_response(body, dialect)
    assert (chunk.raw, chunk.usage, chunk.finished, chunk.done) == (body, usage, True, True)


@pytest.mark.parametrize(
    ("dialect", "body", "text"),
    [
        ("speech", b"\xff\xfb\x90\x00 sound", ""),
        ("speech", b'{"error":"as sound"}', ""),
        ("transcriptions", "1\n00:00 --> 00:01\nGrüße\n".encode(), "1\n00:00 --> 00:01\nGrüße\n"),
        ("transcriptions", b'{"text":"Hi"}', "Hi"),
    ],
)
def test_sound_and_text_pass_as_they_are(dialect, body, text):
    chunk = WIRE.parse_response(body, dialect)
    assert (chunk.raw, chunk.text, chunk.finished) == (body, text, True)


@pytest.mark.parametrize("dialect", ["embeddings", "moderations", "images", "rerank"])
def test_a_page_of_html_is_no_answer(dialect):
    with pytest.raises(UpstreamGarbled):
        WIRE.parse_response(b"<html>", dialect)


def test_an_error_in_an_answer_is_an_error():
    with pytest.raises(UpstreamRefused) as failure:
        WIRE.parse_response(b'{"error":{"message":"slow down","code":429}}', "embeddings")
    assert failure.value.status == 429


def test_a_completion_is_read_by_its_text():
    body = b'{"model":"v","choices":[{"text":"Hi","index":0,"finish_reason":"length"}],"usage":{"prompt_tokens":3}}'
    chunk = WIRE.parse_response(body, "completions")
    assert (chunk.text, chunk.finish_reason, chunk.usage) == ("Hi", "length", Usage(input_tokens=3))
    streamed = WIRE.parse_stream(ChatRequest("m", True, True, None, 1, {}, 1, dialect="completions"))
    [first, second] = streamed.feed(
        b'data: {"choices":[{"text":"Hi","index":0,"finish_reason":null}]}\n\n'
        b'data: {"choices":[{"text":["!"],"index":0,"finish_reason":"stop"}]}\n\n'
    )
    assert (first.text, first.finished, second.text, second.finished) == ("Hi", False, "!", True)


def streamed(wire_bytes: bytes, cuts=()) -> list[Chunk]:
    return fed(TaskStream(), wire_bytes, cuts)


def test_a_streamed_transcript_says_what_the_whole_one_says():
    chunks = streamed(TRANSCRIPT)
    whole = WIRE.parse_response(json.dumps(HEARD).encode(), "transcriptions")
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert chunks[-1].usage == whole.usage
    assert [chunk.finished for chunk in chunks] == [False, False, True]
    assert b"".join(chunk.raw for chunk in chunks) == TRANSCRIPT


def test_one_byte_at_a_time_changes_nothing():
    assert streamed(TRANSCRIPT, range(1, len(TRANSCRIPT))) == streamed(TRANSCRIPT)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (b'event: error\ndata: {"error":{"code":503,"message":"x"}}\n\n', UpstreamRefused),
        (b'data: {"type":"error","message":"x"}\n\n', UpstreamError),
        (b"data: <html>\n\n", UpstreamGarbled),
        (b"data: 5\n\n", UpstreamGarbled),
    ],
)
def test_an_error_inside_a_stream_is_an_error(event, error):
    [chunk] = streamed(event)
    assert isinstance(chunk.error, error)


def test_sound_comes_whole_unless_events_are_asked_for():
    def asked(**fields):
        return parse_task_request(json.dumps({"model": "m", "input": "x", "voice": "v", **fields}).encode(), "speech")

    assert not asked(stream=True).stream
    assert not asked(stream=True, stream_format="audio").stream
    assert asked(stream_format="sse").stream


def test_twenty_thousand_broken_answers_raise_nothing_else():
    chance = random.Random(20261123)
    bodies = [json.dumps(body).encode() for body in (EMBEDDED, DRAWN, HEARD)]
    for turn in range(20_000):
        wire_bytes = bytearray(TRANSCRIPT if turn % 2 else chance.choice(bodies))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(wire_bytes))
            wire_bytes[place : place + chance.randrange(4)] = bytes(chance.choices(b'\x00\xff"{}[]:,\\\r\n0e-ntf', k=2))
        if turn % 2:
            assert b"".join(chunk.raw for chunk in streamed(bytes(wire_bytes))) == bytes(wire_bytes)
            continue
        try:
            WIRE.parse_response(bytes(wire_bytes), chance.choice(["embeddings", "images", "transcriptions", "speech"]))
        except UpstreamError:
            continue


def test_the_last_event_of_streamed_speech_says_what_it_took():
    request = parse_task_request(b'{"model":"m","input":"H","voice":"a","stream_format":"sse"}', "speech")
    [done] = WIRE.parse_stream(request).feed(
        b'data: {"type":"speech.audio.done","usage":{"input_tokens":4,"output_tokens":9}}\n\n'
    )
    assert (done.finished, done.usage) == (True, Usage(input_tokens=4, output_tokens=9))
