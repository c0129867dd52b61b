"""Plays one answer as its plan says, fault included."""

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.upstream.dialects import Dialect
from benchmarks.upstream.journal import Outcome
from benchmarks.upstream.request import Request
from benchmarks.upstream.wire import Wire

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
GARBAGE = b"<html><body>Bad gateway, but 200</body></html>\x00\xff\xfe"
REFUSALS = ("status", "context_length", "content_filter")


class Play:
    """One answer under way, with what became of it so far (`status` 0: no header was sent)."""

    def __init__(self, wire: Wire, dialect: Dialect, request: Request) -> None:
        self.wire = wire
        self.dialect = dialect
        self.request = request
        self.plan = request.plan
        self.headers = {"x-request-id": f"req_{request.number}", "request-id": f"req_{request.number}"}
        self.status = 0
        self.chunks_sent = 0
        self.usage_sent = False

    @property
    def refuses(self) -> bool:
        """Whether it ends with an error before any work is done."""
        if self.request.prefilled is not None and self.plan.fault == "prefill_rejected":
            return True
        return self.plan.fault in REFUSALS or self.dialect.refuses(self.request)

    async def run(self) -> Outcome:
        fault = self.plan.fault
        if self.refuses:
            return await self.refuse()
        if fault in BEFORE_HEADERS:
            return await BEFORE_HEADERS[fault](self)
        if fault == "delay":
            await asyncio.sleep(self.plan.seconds)
        return await (self.stream() if self.request.stream else self.answer())

    async def open(self, headers: dict[str, str], *, length: int | None, status: int = 200) -> None:
        self.status = status
        await self.wire.write(self.wire.head(status, {**self.headers, **headers}, length=length))

    async def refuse(self) -> Outcome:
        status, body = self.dialect.refusal(self.plan)
        retry = {"retry-after": self.plan.retry} if self.plan.retry else {}
        await self.open({**JSON, **retry}, length=len(body), status=status)
        await self.wire.write(body)
        return "refused"

    async def reset(self) -> Outcome:
        await self.wire.reset()
        return "faulted"

    async def silence(self) -> Outcome:
        await asyncio.sleep(self.plan.seconds)
        self.wire.close()
        return "faulted"

    async def garbage(self) -> Outcome:
        body = (GARBAGE * (self.plan.size // len(GARBAGE) + 1))[: self.plan.size]
        await self.open(EVENTS if self.request.stream else JSON, length=len(body))
        await self.wire.write(body)
        return "faulted"

    async def answer(self) -> Outcome:
        """A whole answer, not streamed."""
        fault, body = self.plan.fault, self.dialect.whole(self.request)
        if fault == "error_event":
            body = self.dialect.ENGINE_FAILED
        if fault == "malformed":
            body = body[: len(body) // 2]
        if fault == "slow":
            await self.open(JSON, length=len(body))
            await asyncio.sleep(self.plan.seconds)
        if fault in ("cut", "stall", "truncated"):
            return await self.half(body)
        if fault == "drip":
            await self.open(JSON, length=len(body))
            await self.drip(body, self.wire.write)
        else:
            await self.body_at_once(body)
        self.chunks_sent = len(self.request.texts)
        self.usage_sent = self.plan.usage
        return "faulted" if fault in ("error_event", "malformed") else "completed"

    async def body_at_once(self, body: bytes) -> None:
        head = b""
        if not self.status:
            self.status = 200
            head = self.wire.head(200, {**self.headers, **JSON}, length=len(body))
        await self.wire.write(head + body)

    async def half(self, body: bytes) -> Outcome:
        """Half a body, then what the fault says; only a stall ever gives the rest."""
        await self.open(JSON, length=len(body))
        await self.wire.write(body[: len(body) // 2])
        if self.plan.fault == "cut":
            return await self.reset()
        if self.plan.fault == "truncated":
            self.wire.close()
            return "faulted"
        await asyncio.sleep(self.plan.seconds)
        await self.wire.write(body[len(body) // 2 :])
        self.usage_sent = self.plan.usage
        return "completed"

    async def stream(self) -> Outcome:
        """A streamed answer: text at the plan's pace, then what says that it is whole."""
        plan, wire, dialect = self.plan, self.wire, self.dialect
        await self.open(EVENTS, length=None)
        if plan.fault == "slow":
            await asyncio.sleep(plan.seconds)
        events, closing = dialect.text_events(self.request), dialect.closing_events(self.request)
        opening = dialect.opening_events(self.request)
        if plan.fault == "drip":
            await self.drip(b"".join([*opening, *events, *closing]), wire.chunk)
        else:
            await self.send(opening)
            if not await self.tell(events):
                return "faulted"
            await self.send(closing)
        self.chunks_sent = len(events)
        self.usage_sent = dialect.reports_usage(self.request) and bool(closing)
        await wire.chunk(b"")
        return "faulted" if plan.fault in ("no_finish", "malformed") else "completed"

    async def send(self, events: list[bytes]) -> None:
        for event in events:
            await self.wire.chunk(event)

    async def tell(self, events: list[bytes]) -> bool:
        """Sends the text; False when the fault broke it off."""
        pace = self.plan.pace / 1000
        for index, event in enumerate(events):
            if index and pace:
                await asyncio.sleep(pace)
            if index == self.plan.after and not await self.strike():
                return False
            await self.wire.chunk(event)
            self.chunks_sent = index + 1
        return self.plan.after < len(events) or await self.strike()

    async def strike(self) -> bool:
        """What the fault does between two chunks; False when it ended the answer."""
        match self.plan.fault:
            case "cut":
                await self.wire.reset()
                return False
            case "truncated":
                self.wire.close()
                return False
            case "stall":
                await asyncio.sleep(self.plan.seconds)
            case "malformed":
                await self.wire.chunk(self.dialect.MALFORMED_EVENT)
            case "error_event":
                await self.wire.chunk(self.dialect.ERROR_EVENT)
                await self.wire.chunk(b"")
                return False
        return True

    async def drip(self, payload: bytes, write: Callable[[bytes], Awaitable[None]]) -> None:
        for start in range(0, len(payload), self.plan.size):
            await write(payload[start : start + self.plan.size])
            await asyncio.sleep(self.plan.pace / 1000)


BEFORE_HEADERS: dict[str, Callable[[Play], Awaitable[Outcome]]] = {
    "reset": Play.reset,
    "silent": Play.silence,
    "garbage": Play.garbage,
}
