"""One keep-alive connection that asks again and again, cheap enough not to disturb what it measures."""

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import cast

import httptools

from benchmarks.load.endpoint import Endpoint, LoadFailed


@dataclass(frozen=True, slots=True)
class Answer:
    """Times are seconds from the moment of sending."""

    status: int
    headers: dict[str, str]
    body: bytes
    first_byte_seconds: float
    seconds: float


class Caller(asyncio.Protocol):
    """`async with Caller(endpoint) as caller: answer = await caller.call()`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._request = endpoint.request
        self._done: asyncio.Future[Answer] | None = None

    async def __aenter__(self) -> "Caller":
        host, port = self._endpoint.address
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    async def call(self, *, timeout: float = 60.0) -> Answer:
        """Raises LoadFailed when the connection ends before the answer does, or nothing comes in time."""
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._first_byte = 0.0
        self._done = asyncio.get_running_loop().create_future()
        self._started = time.perf_counter()
        self._transport.write(self._request)
        try:
            return await asyncio.wait_for(self._done, timeout)
        except TimeoutError:
            raise LoadFailed(f"no answer within {timeout} s") from None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._done is None:
            return
        self._first_byte = self._first_byte or time.perf_counter()
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(LoadFailed(f"connection lost before the answer's end: {exc}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._done is None or self._done.done():
            return
        now = time.perf_counter()
        answer = Answer(
            status=self._parser.get_status_code(),
            headers=self._headers,
            body=b"".join(self._body),
            first_byte_seconds=self._first_byte - self._started,
            seconds=now - self._started,
        )
        self._done.set_result(answer)
