"""The longest that anybody waits for Django."""

import asyncio
from typing import Final

import structlog

from common.errors import Unavailable
from orchestrator_site.asgi_messages import Application, Message, Receive, Scope, Send, answer_error

log = structlog.get_logger(__name__)

# As long as a statement may take (tenants.door), and a little more, so that PostgreSQL's own answer comes first.
SECONDS: Final = 32.0
OVERDUE: Final = Unavailable(
    "This took too long and was given up; a change may have been made all the same.", retry_after=5
)


class Patience:
    """Answers 503 when the application has not begun to answer within `seconds`.

    It is left to itself then, not cancelled: a thread that waits for a frozen database cannot be, and asgiref would
    wait for it. The pool of connections bounds how many such threads there are.
    """

    def __init__(self, application: Application, seconds: float = SECONDS) -> None:
        self._application = application
        self._seconds = seconds
        # The loop itself holds tasks weakly.
        self._left: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = overdue = False

        async def send_in_time(message: Message) -> None:
            nonlocal begun
            if not overdue:
                begun = True
                await send(message)

        async def run() -> None:
            await self._application(scope, receive, send_in_time)

        work = asyncio.create_task(run())
        try:
            await asyncio.wait({work}, timeout=self._seconds)
            if not work.done() and not begun:
                overdue = True
                self._leave(work)
                log.warning("request_given_up", seconds=self._seconds)
                await answer_error(send, OVERDUE)
                return
            await work
        except asyncio.CancelledError:
            work.cancel()
            raise

    def _leave(self, work: "asyncio.Task[None]") -> None:
        self._left.add(work)
        work.add_done_callback(self._forget)

    def _forget(self, work: "asyncio.Task[None]") -> None:
        self._left.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.warning("request_failed_after_it_was_given_up", error=type(error).__name__)
