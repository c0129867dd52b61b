"""The API key of a request, from `Authorization: Bearer` or `x-api-key`."""

from collections.abc import Mapping

from common.errors import InvalidRequest, Unauthenticated
from gateway.keys import Presented


def presented_key(headers: Mapping[bytes, bytes]) -> Presented:
    """Raises Unauthenticated for none, InvalidRequest for two that differ."""
    bearer = bearer_token(headers.get(b"authorization", b""))
    plain = headers.get(b"x-api-key", b"").strip()
    if bearer and plain and bearer != plain:
        raise InvalidRequest("Two different API keys were given, in Authorization and in x-api-key.")
    text = bearer or plain
    if not text:
        raise Unauthenticated(
            "No API key was given. Send it as `Authorization: Bearer <key>` or as `x-api-key`.", code="missing_api_key"
        )
    return Presented(text)


def bearer_token(value: bytes) -> bytes:
    scheme, _, token = value.strip().partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""
