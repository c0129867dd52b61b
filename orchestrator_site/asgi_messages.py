"""The ASGI types, and small answers given without a framework (asgi.readthedocs.io/en/latest/specs/www.html)."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from common.errors import OrchestratorError
from gateway.edge.errors import error_headers
from providers.wire.openai.words import error_object

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderPairs = Iterable[tuple[bytes, bytes]]


async def answer(send: Send, status: int, body: bytes, content_type: bytes, headers: HeaderPairs = ()) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", str(len(body)).encode()),
                (b"x-content-type-options", b"nosniff"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: Any, headers: HeaderPairs = ()) -> None:
    """Never cached: these answers say how things are now."""
    body = msgspec.json.encode(content)
    await answer(send, status, body, b"application/json", [(b"cache-control", b"no-store"), *headers])


async def answer_error(send: Send, error: OrchestratorError) -> None:
    await answer_json(send, error.status, error_object(error), error_headers(error))


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of that (lower case) name, or nothing."""
    return next((value for each, value in scope["headers"] if each == name), b"")
