"""Reading a request's body, as far as it is allowed to go."""

from collections.abc import Mapping

from common.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from gateway.edge.asgi import ClientGone, Receive


def check_content_type(headers: Mapping[bytes, bytes]) -> None:
    """Raises UnsupportedMediaType."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise UnsupportedMediaType("The body must be sent with Content-Type: application/json.")
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


async def read_body(receive: Receive, most: int) -> bytes:
    """The whole body. Raises PayloadTooLarge as soon as it is too long, ClientGone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > most:
            raise too_large(most)
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        if size > most:
            raise too_large(most)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > most:
        raise too_large(most)
    return b"".join(parts)


def too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {most} bytes.")
