"""The least a Python proxy can be: uvicorn in front, aiohttp behind, no features. The yardstick for the rest.

`python -m benchmarks.bare_proxy --port 9200 --upstream http://127.0.0.1:9100`
"""

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import uvicorn

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
PASSED_HEADERS = {b"content-type"}


class BareProxy:
    """An ASGI app: every request goes upstream with its body, every answer comes back chunk by chunk."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            await self.forward(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                connector = aiohttp.TCPConnector(limit=1000)
                self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
                await send({"type": "lifespan.startup.complete"})
            else:
                assert self._session is not None
                await self._session.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def forward(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        assert self._session is not None
        body = await whole_body(receive)
        headers = {"content-type": "application/json"}
        async with self._session.request(
            scope["method"], self._upstream + scope["path"], data=body or None, headers=headers
        ) as answer:
            raw = [(name.lower(), value) for name, value in answer.raw_headers if name.lower() in PASSED_HEADERS]
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def whole_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_proxy", description=__doc__)
    parser.add_argument("--port", type=int, default=9200)
    parser.add_argument("--upstream", default="http://127.0.0.1:9100")
    arguments = parser.parse_args()
    uvicorn.run(
        BareProxy(arguments.upstream),
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
