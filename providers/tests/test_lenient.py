import msgspec
import pytest

from common.errors import UpstreamGarbled
from providers.wire.lenient import read_as


class Inner(msgspec.Struct):
    count: int | None = None
    words: list[str] = []


class Outer(msgspec.Struct):
    name: str = ""
    inner: Inner | None = None
    several: list[Inner] | None = None
    raw: msgspec.Raw = msgspec.Raw()


DECODER = msgspec.json.Decoder(Outer)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"name":"a","inner":{"count":1}}', Outer(name="a", inner=Inner(count=1))),
        (b'{"name":5,"inner":{"count":1}}', Outer(inner=Inner(count=1))),
        (b'{"name":"a","inner":[]}', Outer(name="a")),
        (b'{"name":"a","several":{}}', Outer(name="a")),
        (b'{"name":"a","inner":{"count":"x","words":["b"]}}', Outer(name="a", inner=Inner(words=["b"]))),
        (b'{"several":[{"count":1},{"count":[]},7,null]}', Outer(several=[Inner(count=1), Inner()])),
        (b'{"name":null,"raw":[1]}', Outer(raw=msgspec.Raw(b"[1]"))),
        (b'{"inner":{"count":1e999}}', Outer(inner=Inner())),
    ],
)
def test_what_has_the_right_type_is_taken(sent, read):
    assert read_as(DECODER, sent) == read


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"5",
        b"[]",
        b"null",
        b"{",
        b"<html>",
        b'{"name":"\xff"}',
        b'{"name":5,"raw":"\xff"}',
        b'{"raw":' + b"[" * 9999,
    ],
)
def test_what_is_no_object_is_garbled(sent):
    with pytest.raises(UpstreamGarbled):
        read_as(DECODER, sent)


def test_a_field_nested_too_deeply_costs_the_answer_and_no_more():
    deep = b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}"
    with pytest.raises(UpstreamGarbled, match="nested"):
        read_as(DECODER, deep)
