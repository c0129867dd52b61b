"""POST of a request for what models make, in any dialect: read, sent on its way, answered in the same dialect."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway import metrics
from gateway.answers import Answer
from gateway.bodies import Held
from gateway.calls import Call, Identified
from gateway.edge.asgi import Headers, Receive
from gateway.edge.body import JSON
from gateway.edge.callers import with_body
from gateway.edge.decision_headers import decision_headers
from gateway.edge.details import before_last_event, detail_headers, details_comment, with_details
from gateway.edge.hang_up import HangUp, watching
from gateway.edge.limits_shown import limit_headers
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.pipeline import answer
from gateway.wishes import wishes_of
from providers.wire.shapes import ChatRequest, Chunk

if TYPE_CHECKING:
    from gateway.services import Services

Keep = Callable[[bytes], Awaitable[None]]
"""Takes a whole answer, or the bytes that end a stream, just before the caller gets them."""
Memory = Callable[["Services", Identified, ChatRequest, Held], Awaitable[tuple[ChatRequest, Keep | None]]]
"""Puts what was said before in front of a request, and says how its answer is to be kept."""


class Ending(NamedTuple):
    """What is done before the caller gets the last of an answer, and what that is where the provider left it out."""

    closing: bytes
    keep: Keep | None


@dataclass(frozen=True, slots=True)
class Completions:
    """An endpoint. `parse` reads a body and its content type; it raises InvalidRequest.

    `closing` ends a stream whose provider left out its own end. `passed` are headers that belong to the dialect and
    go on to a provider that speaks it too. `memory` is for a dialect whose answers may be kept.
    """

    parse: Callable[[bytes, str], ChatRequest]
    closing: bytes = b""
    kinds: tuple[bytes, ...] = JSON
    passed: tuple[bytes, ...] = ()
    memory: Memory | None = None

    async def __call__(self, services: "Services", request: Request, receive: Receive, response: Response) -> None:
        """Raises every OrchestratorError of the way, before or after the response has begun."""

        async def work(identified: Identified, body: bytes, held: Held) -> None:
            asked = self._read(body, request.headers)
            keep: Keep | None = None
            if self.memory is not None:
                asked, keep = await self.memory(services, identified, asked, held)
            call = Call(request.id, identified, asked, request.began, wishes_of(request.headers))
            await answer_call(services, call, receive, response, Ending(self.closing, keep))

        await with_body(services, request, receive, response, work, kinds=self.kinds)

    def _read(self, body: bytes, headers: Mapping[bytes, bytes]) -> ChatRequest:
        asked = self.parse(body, headers[b"content-type"].decode("latin-1"))
        own = tuple((name.decode(), headers[name].decode("latin-1")) for name in self.passed if name in headers)
        return msgspec.structs.replace(asked, headers=own) if own else asked


async def answer_call(services: "Services", call: Call, receive: Receive, response: Response, ending: Ending) -> None:
    with watching(receive) as hang_up:
        async with answer(services, call) as answering:
            if call.request.stream:
                await send_events(answering, response, hang_up, ending)
            else:
                await send_whole(answering, response, hang_up, ending.keep)


async def send_whole(answering: Answer, response: Response, hang_up: HangUp, keep: Keep | None) -> None:
    body = b"".join([chunk.raw async for batch in answering.source for chunk in batch])
    hang_up.stop()
    if keep is not None:
        await keep(body)
    if answering.deciding.call.wishes.details:
        body = with_details(answering, body)
    await response.whole(body, answering.source.content_type, headers_of(answering))


async def send_events(answering: Answer, response: Response, hang_up: HangUp, ending: Ending) -> None:
    """Events as they came, those of one read in one write; the closing is ours when it did not come."""
    done = False
    asked_for_details = answering.deciding.call.wishes.details
    metrics.ACTIVE_STREAMS.inc()
    try:
        await response.begin_events(headers_of(answering))
        async for batch in answering.source:
            done = batch[-1].done
            events = joined(batch)
            if done:
                hang_up.stop()
                if ending.keep is not None:
                    await ending.keep(events)
                if asked_for_details:
                    events = before_last_event(events, details_comment(answering))
                await response.end(events)
            elif events:
                await response.write(events)
        if not done:
            hang_up.stop()
            await response.end(details_comment(answering) + ending.closing if asked_for_details else ending.closing)
    finally:
        metrics.ACTIVE_STREAMS.dec()


def joined(batch: list[Chunk]) -> bytes:
    return batch[0].raw if len(batch) == 1 else b"".join([chunk.raw for chunk in batch])


def headers_of(answering: Answer) -> Headers:
    headers = [*limit_headers(answering.caller.admitted), *decision_headers(answering)]
    if answering.deciding.call.wishes.details:
        headers += detail_headers(answering)
    return headers
