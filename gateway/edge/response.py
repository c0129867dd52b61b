"""Writing a response: the status once, the request's id on everything."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from common.errors import OrchestratorError
from gateway import metrics
from gateway.edge.asgi import Headers, Send
from gateway.edge.errors import error_headers

ID_HEADERS = (b"x-request-id",)
JSON = (b"content-type", b"application/json")
EVENTS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # Proxies such as nginx would gather a stream.
    (b"x-accel-buffering", b"no"),
)


class Words(Protocol):
    """How errors are told: each dialect has its own form."""

    def error_body(self, error: OrchestratorError) -> bytes: ...

    def error_event(self, error: OrchestratorError) -> bytes: ...


class Response:
    """One response. Exactly one of `json`, `whole`, `again`, `empty`, `fail`, or `begin_events` … `end`."""

    __slots__ = ("_ids", "_send", "_words", "ended", "status")

    def __init__(self, send: Send, request_id: UUID, words: Words, id_headers: tuple[bytes, ...] = ID_HEADERS) -> None:
        self._send = send
        self._words = words
        shown = str(request_id).encode()
        self._ids = [(name, shown) for name in id_headers]
        self.status = 0
        self.ended = False

    async def json(self, body: bytes, headers: Headers) -> None:
        await self._whole(200, body, [JSON, *headers])

    async def whole(self, body: bytes, content_type: bytes, headers: Headers) -> None:
        await self._whole(200, body, [(b"content-type", content_type), *headers])

    async def again(self, status: int, body: bytes, headers: Headers) -> None:
        """What was answered before, in one piece."""
        await self._whole(status, body, headers)

    def send_through(self, wrap: Callable[[Send], Send]) -> None:
        """From here on everything goes through what `wrap` makes of the way it went until now."""
        self._send = wrap(self._send)

    async def empty(self, headers: Headers) -> None:
        await self._start(204, headers)
        await self.end()

    async def begin_events(self, headers: Headers) -> None:
        await self._start(200, [*EVENTS, *headers])

    async def write(self, events: bytes) -> None:
        """Waits while the caller reads more slowly than the provider writes."""
        await self._send({"type": "http.response.body", "body": events, "more_body": True})

    async def end(self, events: bytes = b"") -> None:
        self.ended = True
        await self._send({"type": "http.response.body", "body": events, "more_body": False})

    async def fail(self, error: OrchestratorError) -> None:
        """Tells an error: as the answer, or in a stream that has begun as its last event."""
        metrics.record_error(error.code)
        if self.ended:
            return
        if self.status:
            await self.end(self._words.error_event(error))
        else:
            await self._whole(error.status, self._words.error_body(error), [JSON, *error_headers(error)])

    async def _whole(self, status: int, body: bytes, headers: Headers) -> None:
        await self._start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self.end(body)

    async def _start(self, status: int, headers: Headers) -> None:
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._ids]})
