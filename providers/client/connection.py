"""One open connection to a provider."""

import asyncio
import ssl
from typing import cast

from providers.client.address import Address
from providers.client.exchange import Exchange
from providers.wire.shapes import Deadlines


class Connection(asyncio.Protocol):
    """Carries one exchange after the other. `idle_since` is the loop's time."""

    __slots__ = ("_exchange", "_transport", "address", "idle_since", "lost")

    def __init__(self, address: Address) -> None:
        self.address = address
        self.idle_since = 0.0
        self.lost = False
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport

    def ask(self, loop: asyncio.AbstractEventLoop, request: bytes, deadlines: Deadlines, total_at: float) -> Exchange:
        """Sends a request; the exchange tells of its answer."""
        self._exchange = exchange = Exchange(loop, self._transport, deadlines, total_at)
        if self.lost:
            exchange.lost(closed=False)
        else:
            self._transport.write(request)
        return exchange

    def finish(self, now: float) -> bool:
        """Whether the connection may carry another exchange. If not it is dropped at once, unsent bytes too."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.stop()
            if exchange.over and exchange.reusable and not self.lost and not self._transport.get_write_buffer_size():
                self.idle_since = now
                return True
        self.drop()
        return False

    def drop(self) -> None:
        self.lost = True
        self._transport.abort()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, received: bytes) -> None:
        if self._exchange is None:
            self.drop()
        else:
            self._exchange.feed(received)

    def connection_lost(self, error: Exception | None) -> None:
        dropped, self.lost = self.lost, True
        if self._exchange is not None:
            self._exchange.lost(closed=error is None and not dropped)

    def pause_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.uploading(True)

    def resume_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.uploading(False)


async def connected(address: Address, place: str, tls: ssl.SSLContext | None) -> Connection:
    """To `place`, the IP address that was judged for the host, which keeps its name within TLS.

    Raises OSError and ValueError. The caller keeps the deadline.
    """
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(address),
        place,
        address.port,
        ssl=tls,
        server_hostname=address.host if tls is not None else None,
    )
    return connection
