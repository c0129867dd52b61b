"""What runs beside the requests of a web process, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

import structlog

from orchestrator_site.asgi_messages import Receive, Scope, Send

log = structlog.get_logger(__name__)

Resource = Callable[[], AbstractAsyncContextManager[object]]


class Lifespan:
    """Opens the resources in order and closes them in reverse (the lifespan protocol of ASGI)."""

    def __init__(self, *resources: Resource) -> None:
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as opened:
            try:
                for resource in self._resources:
                    await opened.enter_async_context(resource())
            except Exception as error:
                log.exception("start_failed")
                await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def background(work: Callable[[], Awaitable[None]], name: str) -> AsyncIterator[None]:
    """Runs `work` beside the requests until the process ends. Its failure is told, and is its own alone."""
    task = asyncio.create_task(told(work, name), name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(work: Callable[[], Awaitable[None]], name: str) -> None:
    try:
        await work()
    except Exception:
        log.exception("background_work_failed", work=name)
