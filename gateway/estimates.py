"""The size of a prompt without counting it: good enough to say what a killed or abandoned attempt cost."""

import re
from typing import Final

import msgspec

from providers.wire.shapes import ChatRequest

BYTES_PER_TOKEN: Final = 4
TOKENS_PER_ATTACHMENT: Final = 1_000
SMALL_BODY: Final = 4_096
# A marker and at least 256 characters of base64, "/" escaped or not. Each begins with what can be searched for as it
# stands, and no run holds a marker: one pass over the body, whatever it is.
ATTACHMENTS: Final = (
    re.compile(rb";base64,[A-Za-z0-9+/=_\\-]{256,}"),
    re.compile(rb'data"\s{0,8}:\s{0,8}"[A-Za-z0-9+/=_\\-]{256,}'),
)


def estimated_input_tokens(request: ChatRequest) -> int:
    """Of the whole body, a token for four bytes; what is attached in base64 counts a flat number of tokens at most.

    Takes time in proportion to the body: once for a request.
    """
    if request.upload:
        return TOKENS_PER_ATTACHMENT
    left = 0
    if request.input_bytes > SMALL_BODY:
        left = sum(left_out(request.fields[name]) for name in ("messages", "input") if name in request.fields)
    return (request.input_bytes - left) // BYTES_PER_TOKEN + 1


def left_out(messages: msgspec.Raw) -> int:
    """The bytes of attachments beyond those that they count for."""
    flat = TOKENS_PER_ATTACHMENT * BYTES_PER_TOKEN
    view = memoryview(messages)
    return sum(max(0, found.end() - found.start() - flat) for kind in ATTACHMENTS for found in kind.finditer(view))
