"""The API key of a request, from `Authorization: Bearer` or `x-api-key`."""

from collections.abc import Iterable, Mapping
from typing import Final

from common.errors import InvalidRequest, Unauthenticated
from gateway.keys import Presented

# Of two, every server and proxy on the way would choose its own.
GIVEN_ONCE: Final = (b"authorization", b"x-api-key", b"host")


def refuse_repeated(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises InvalidRequest when a header that says who or where is there twice."""
    names = [name for name, _ in headers]
    for name in GIVEN_ONCE:
        if names.count(name) > 1:
            raise InvalidRequest(f"The {name.decode()} header was given more than once.")


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
