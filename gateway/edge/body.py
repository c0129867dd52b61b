"""Reading a request's body, as far as it is allowed to go."""

from collections.abc import Mapping
from typing import Final

from common.errors import InvalidRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from gateway.bodies import Held
from gateway.edge.asgi import ClientGone, Receive

JSON: Final = (b"application/json",)


def check_content_type(headers: Mapping[bytes, bytes], kinds: tuple[bytes, ...]) -> None:
    """Raises UnsupportedMediaType."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind not in kinds:
        raise UnsupportedMediaType(f"The body must be sent with Content-Type: {b' or '.join(kinds).decode()}.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("The body must be sent without Content-Encoding.")


def check_length(headers: Mapping[bytes, bytes], most: int) -> None:
    """Refuses a body that says itself that it is too long. Raises PayloadTooLarge, InvalidRequest."""
    declared = headers.get(b"content-length")
    if declared is None:
        return
    if not declared.isdigit():
        raise InvalidRequest("The Content-Length header is not a number.")
    if len(declared) > 18 or int(declared) > most:
        raise too_large(most)


async def read_body(receive: Receive, most: int, held: Held) -> bytes:
    """The whole body. Raises PayloadTooLarge as soon as it is too long, ClientGone, and what `held` raises."""
    first, more = await next_piece(receive, most, held)
    if not more:
        return first
    body = bytearray(first)
    with held.in_pieces():
        while more:
            piece, more = await next_piece(receive, most, held)
            body += piece
    return bytes(body)


async def next_piece(receive: Receive, most: int, held: Held) -> tuple[bytes, bool]:
    """(the next of the body, whether there is more)."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    piece: bytes = message.get("body", b"")
    if held.size + len(piece) > most:
        raise too_large(most)
    held.add(len(piece))
    return piece, message.get("more_body", False)


def too_slow(seconds: float) -> RequestTimeout:
    return RequestTimeout(f"The body was not sent within {seconds:g} seconds.")


def too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {most} bytes.")
