"""Numbers that JSON can write and no machine hold: a request with one is refused or goes on, and nothing stumbles."""

import pytest

from common.errors import InvalidRequest
from providers.wire.openai.speech import ChatSpeech
from providers.wire.registry import WIRES, spoken
from providers.wire.shapes import Target

NUMBERS = (b"1e999", b"-1e999", b"[1e999]", b'{"a": {"b": 1e999}}', b"9" * 400)
FIELDS = (b"metadata", b"logit_bias", b"prediction", b"store", b"user", b"tools", b"response_format", b"of_nobody")


def told(body, target):
    """What is sent to the provider, or the field that is refused."""
    try:
        request = ChatSpeech().parse_request(body)
        return spoken(request, target).build_request(request, target).body
    except InvalidRequest as refused:
        return refused.param


@pytest.mark.parametrize("wire", sorted(set(WIRES) - {"openai"}))
def test_no_field_makes_a_translation_stumble(wire):
    target = Target(
        provider="p",
        provider_scope="tenant",
        wire=wire,
        base_url="http://host",
        model="m",
        headers=(),
        price=None,
        drop_params=True,
    )
    for field in FIELDS:
        for number in NUMBERS:
            body = b'{"model": "p/m", "messages": [{"role": "user", "content": "x"}], "%b": %b}' % (field, number)
            assert told(body, target)
