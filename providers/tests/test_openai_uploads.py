import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidRequest
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.tasks import parse_upload
from providers.wire.openai.uploads import FormPart, boundary_of, read_form, write_form
from providers.wire.shapes import Quirks, Secret, Target, UpstreamRequest

TYPE = 'multipart/form-data; boundary="b-1"'
TARGET = Target(
    provider="demo",
    provider_scope="platform",
    wire="openai",
    base_url="http://127.0.0.1:1/v1",
    model="whisper-1",
    headers=(("authorization", Secret("Bearer x")), ("content-type", Secret("application/json"))),
    price=None,
)
SOUND = b"RIFF\r\n--b\r\n\x00\xff--b-"


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--b-1\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b-1--\r\n"


FILE = part("file", SOUND, '; filename="a.wav"\r\nContent-Type: audio/wav')
WHOLE = form(FILE, part("model", b"alias"), part("language", b"de"))


def sent(body: bytes, **changes) -> UpstreamRequest:
    target = msgspec.structs.replace(TARGET, **changes)
    return OpenAIWire().build_request(parse_upload(body, TYPE), target)


def test_a_form_is_read_for_its_model_and_stream():
    request = parse_upload(form(FILE, part("model", b"alias"), part("stream", b"true")), TYPE)
    assert (request.model, request.stream, request.dialect) == ("alias", True, "transcriptions")
    assert not parse_upload(WHOLE, TYPE).stream


def test_only_the_model_is_replaced():
    request = sent(WHOLE)
    assert request.url == "http://127.0.0.1:1/v1/audio/transcriptions"
    assert request.body == form(FILE, part("model", b"whisper-1"), part("language", b"de"))
    headers = {name: secret.reveal() for name, secret in request.headers}
    assert headers == {"authorization": "Bearer x", "content-type": TYPE}


def test_quirks_rename_refuse_and_drop_fields():
    quirks = Quirks(renamed={"language": "lang"}, unsupported=("prompt",))
    assert sent(WHOLE, quirks=quirks).body == form(FILE, part("model", b"whisper-1"), part("lang", b"de"))
    body = form(FILE, part("model", b"alias"), part("prompt", b"p"))
    with pytest.raises(InvalidRequest) as refusal:
        sent(body, quirks=quirks)
    assert refusal.value.param == "prompt"
    request = sent(body, quirks=quirks, drop_params=True)
    assert (request.body, request.dropped) == (form(FILE, part("model", b"whisper-1")), ("prompt",))


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=b-1",
        'Multipart/Form-Data;charset=utf-8; Boundary="b-1"',
        "multipart/form-data;boundary=b-1",
    ],
)
def test_every_way_to_name_the_boundary_is_read(content_type):
    assert boundary_of(content_type) == b"b-1"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="a\r\nX: y"',
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/form-data; boundary=é",
    ],
)
def test_other_types_are_refused(content_type):
    with pytest.raises(InvalidRequest) as refusal:
        parse_upload(WHOLE, content_type)
    assert refusal.value.code == "invalid_form"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (form(part("model", b"m")), "file"),
        (form(FILE), "model"),
        (form(FILE, part("model", b" ")), "model"),
        (form(FILE, part("model", b"\xff")), "model"),
        (form(FILE, part("model", b"a"), part("model", b"b")), "model"),
        (form(FILE, part("model", b"a" * 70_000)), "model"),
        (form(FILE, part("model", b"a"), part("stream", b"a"), part("stream", b"b")), "stream"),
    ],
)
def test_a_wrong_field_is_named(body, param):
    with pytest.raises(InvalidRequest) as refusal:
        parse_upload(body, TYPE)
    assert refusal.value.param == param


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x" + WHOLE,
        WHOLE[:-9],
        form(),
        form(FILE, part("mo\\del", b"a")),
        form(FILE, part("model", b"a", "; name=other")),
        form(FILE, part("model", b"a", '\r\nContent-Disposition: form-data; name="x"')),
        form(FILE, part("model", b"a", "\r\n continued")),
        form(FILE, part("model", b"a", "\r\nX: a\nContent-Disposition: x")),
        form(FILE, b"--b-1\r\nContent-Type: text/plain\r\n\r\na\r\n"),
        form(FILE, b"--b-1 \r\n" + part("model", b"a")[7:]),
        form(FILE, *(part("x", b"") for _ in range(100))),
        form(FILE, part("model", b"a", "\r\nX: " + "a" * 9000)),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body):
    with pytest.raises(InvalidRequest):
        parse_upload(body, TYPE)


parts = st.builds(
    FormPart,
    name=st.text("abc_[]-.", min_size=1, max_size=9),
    tail=st.sampled_from([b"", b'; filename="a.mp3"', b"; filename*=utf-8''%C3%BC.wav"]),
    headers=st.sampled_from([(), (b"Content-Type: audio/mpeg",)]),
    content=st.binary(max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, max_size=6))
def test_what_is_written_is_read_back(given_parts):
    assert read_form(write_form(given_parts, b"not-in-it"), b"not-in-it") == given_parts


def test_twenty_thousand_broken_forms_are_read_or_refused():
    chance = random.Random(20261124)
    pieces = [b"\r\n", b"--b-1", b"--", b'"', b"name=", b";", b"\x00", b"model", b":", b"\r\n\r\n"]
    for _ in range(20_000):
        body = bytearray(WHOLE)
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(8)] = chance.choice(pieces)
        try:
            request = parse_upload(bytes(body), TYPE)
        except InvalidRequest:
            continue
        written = OpenAIWire().build_request(request, TARGET).body
        models = [each.content for each in read_form(written, b"b-1") if each.name == "model"]
        assert models == [b"whisper-1"]
