"""From a URL to where it leads and the bytes that a request there begins with, once for each target."""

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from providers.egress.policy import Scope
from providers.wire.shapes import Secret

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
EVERY_REQUEST: Final = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "orchestrator"}
# How the body is framed and the connection kept is the client's own affair.
OURS: Final = frozenset({"connection", "content-length", "keep-alive", "te", "transfer-encoding", "upgrade"})


class Address(NamedTuple):
    """A host in ASCII, without the brackets of an IPv6 address, and what connections are pooled by.

    `scope`: by whose rules it is judged where the host may lead.
    """

    host: str
    port: int
    tls: bool
    scope: Scope = "tenant"


@lru_cache(maxsize=4096)
def opening(url: str, headers: tuple[tuple[str, Secret], ...], scope: Scope) -> tuple[Address, bytes]:
    """The address of `url`, and the request up to its last shared header line.

    A target's tuple of headers is one and the same on every call. Raises ValueError for a URL or a header that
    HTTP/1.1 cannot carry (RFC 9112 section 3, RFC 9110 section 5.5).
    """
    address, authority, path = parsed(url)
    lines = {"host": authority, **EVERY_REQUEST}
    lines.update((name.lower(), secret.reveal()) for name, secret in headers if name.lower() not in OURS)
    return address._replace(scope=scope), f"POST {path} HTTP/1.1\r\n{''.join(map(line, lines.items()))}".encode(
        "latin-1"
    )


def parsed(url: str) -> tuple[Address, str, str]:
    if not url.isprintable() or " " in url:
        raise ValueError("a URL has no blanks and no control characters")
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode("ascii")
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError("a URL begins with http:// or https:// and a host")
    default = DEFAULT_PORTS[parts.scheme]
    port = default if parts.port is None else parts.port
    shown = f"[{host}]" if ":" in host else host
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path.encode("ascii")
    return Address(host, port, parts.scheme == "https"), shown if port == default else f"{shown}:{port}", path


def line(header: tuple[str, str]) -> str:
    """Raises ValueError for a header that would break out of its line. Never repeats the value: it may be a secret."""
    name, value = header
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a header name is letters, digits, - and _")
    if "\r" in value or "\n" in value or "\0" in value:
        raise ValueError(f"the header {name} holds a line break")
    return f"{name}: {value}\r\n"
