"""The API key of a request to the edge."""

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.keys import Presented
from tenants import credentials

# Of two, every server and proxy on the way would choose its own.
GIVEN_ONCE: Final = (b"authorization", b"x-api-key", b"host", b"idempotency-key")


def refuse_repeated(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises InvalidRequest when a header that says who, where or which is there twice."""
    names = [name for name, _ in headers]
    for name in GIVEN_ONCE:
        if names.count(name) > 1:
            raise credentials.given_twice(name.decode())


def presented_key(headers: Mapping[bytes, bytes]) -> Presented:
    """Raises Unauthenticated for none, InvalidRequest for more than one."""
    text = credentials.presented_key(headers.get(b"authorization", b""), headers.get(b"x-api-key", b""))
    if not text:
        raise credentials.missing_key()
    return Presented(text)
