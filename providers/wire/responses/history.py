"""Responses that are kept, and the requests that follow one (`previous_response_id`).

A conversation is kept as a whole with each of its responses: one look finds all that came before. Instructions are not
carried over (platform.openai.com/docs/api-reference/responses/create#responses-create-previous_response_id).
"""

from typing import Final

import msgspec

from common.errors import InvalidRequest
from providers.wire.places import NULL
from providers.wire.responses.prompt import prompt_of
from providers.wire.shapes import ChatRequest

ENCODE: Final = msgspec.json.Encoder().encode
ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
INPUT: Final = msgspec.json.Decoder(str | list[msgspec.Raw] | None)
LONGEST: Final = 32 * 1024 * 1024
ENDINGS: Final = (b"event: response.completed\ndata: ", b"event: response.incomplete\ndata: ")


class StoredResponse(msgspec.Struct, frozen=True):
    """`items` is a JSON array of all that the model was given, `response` the Response as JSON."""

    id: str
    items: bytes
    response: bytes


class Shown(msgspec.Struct):
    id: str
    output: list[msgspec.Raw]


class Ending(msgspec.Struct):
    response: msgspec.Raw


SHOWN: Final = msgspec.json.Decoder(Shown)
ENDING: Final = msgspec.json.Decoder(Ending)


def with_history(request: ChatRequest, stored: StoredResponse, longest: int = LONGEST) -> ChatRequest:
    """The request with all that was said before in front of its input.

    Raises InvalidRequest for a request that is wrong in itself, which is told by the caller's own paths, and for a
    conversation that has become too long.
    """
    fresh = input_items(request)
    if fresh:
        prompt_of(request)
    earlier = [*ITEMS.decode(stored.items), *SHOWN.decode(stored.response).output]
    encoded = ENCODE([*earlier, *fresh])
    if len(encoded) > longest:
        raise InvalidRequest(
            f"The conversation is longer than {longest} bytes. Send a shorter one as 'input', without "
            "'previous_response_id'.",
            param="previous_response_id",
            code="context_length_exceeded",
        )
    grown = len(encoded) - len(memoryview(request.fields.get("input", NULL)))
    return msgspec.structs.replace(
        request,
        fields={**request.fields, "input": msgspec.Raw(encoded)},
        input_bytes=request.input_bytes + max(grown, 0),
    )


def stored_of(request: ChatRequest, rendered: bytes) -> StoredResponse:
    """What to keep of a request, its history included, and the whole answer to it."""
    return StoredResponse(id=SHOWN.decode(rendered).id, items=ENCODE(input_items(request)), response=rendered)


def input_items(request: ChatRequest) -> list[msgspec.Raw]:
    given = INPUT.decode(request.fields.get("input", NULL))
    if isinstance(given, str):
        return [msgspec.Raw(ENCODE({"type": "message", "role": "user", "content": given}))] if given else []
    return given or []


def response_within(streamed: bytes) -> bytes | None:
    """The whole Response in the bytes that end a stream; None if they do not end one that came to an end."""
    for ending in ENDINGS:
        _, found, rest = streamed.rpartition(ending)
        if found:
            return bytes(ENDING.decode(rest.partition(b"\n\n")[0]).response)
    return None
