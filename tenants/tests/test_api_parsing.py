"""Bodies that are taken, and those that are not."""

import io

import pytest
from rest_framework.exceptions import ParseError

from common.errors import PayloadTooLarge
from tenants.api_parsing import DEEPEST, LARGEST_BODY, BoundedJSONParser


def parsed(body: bytes):
    return BoundedJSONParser().parse(io.BytesIO(body))


def test_json_is_taken_as_it_is():
    assert parsed('{"a": ["ü😀", 1.5, null, {"b": true}]}'.encode()) == {"a": ["ü😀", 1.5, None, {"b": True}]}
    assert parsed(b"[1]") == [1]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'{"a": ["\\ud800"]}',
        b'"\xff"', b"1" * 5000, b"[" * 100_000, b"[" * DEEPEST + b"1" + b"]" * DEEPEST, b'{"a":' * 10_000,
    ],
)  # fmt: skip
def test_what_is_not(body):
    with pytest.raises(ParseError):
        parsed(body)


def test_a_body_is_read_up_to_a_limit():
    body = io.BytesIO(b'"' + b"x" * (2 * LARGEST_BODY) + b'"')
    with pytest.raises(PayloadTooLarge):
        BoundedJSONParser().parse(body)
    assert body.tell() == LARGEST_BODY + 1
