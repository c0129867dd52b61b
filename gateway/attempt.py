"""One attempt at one target: from the durable intent, through the provider's answer, to the one settlement."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

import msgspec

from billing.ledger.rows import Intent
from billing.pricing import cost
from common.errors import OrchestratorError, UpstreamError, UpstreamGarbled, UpstreamTimeout
from gateway import metrics
from gateway.cache.taps import Tap
from gateway.calls import Call, Caller
from gateway.deadline import Deadline
from gateway.failover.pace import Pace
from gateway.metering import Meter
from providers.wire.openai.adapter import TASKS
from providers.wire.registry import spoken
from providers.wire.shapes import ChatRequest, Chunk, StreamParser, Target, Usage, WireAdapter

if TYPE_CHECKING:
    from gateway.services import Services
    from providers.client import UpstreamResponse

SECONDS_TO_END: Final = 0.25
# Before an answer's first word: what is more than this is dropped, since nobody waits for comments.
MOST_HELD: Final = 65_536
CHUNK_BYTES: Final = 200
# Of what was left out, in a header: names are the caller's own, and may be anything.
MOST_NAMES: Final = 50
LONGEST_NAME: Final = 100
JSON: Final = b"application/json"
NOT_ALWAYS_JSON: Final = ("speech", "transcriptions")
# A vendor does not decide that our host serves a page.
KIND: Final = re.compile(
    r"(?:audio/[\w.+-]{1,60}|text/plain|text/vtt|application/x-subrip|application/json)(?:;.*)?", re.A
)


class Attempt:
    """Iterates over the answer, a list of chunks for each read from the network, as the caller may see them.

    An answer that was not streamed is one list of one chunk. A stream that breaks raises UpstreamError.
    """

    __slots__ = (
        "_buffered", "_failure", "_feed", "_first", "_heard_at", "_next_bytes", "_over", "_pace", "_response",
        "_services", "_source", "_wire", "began", "call", "content_type", "dropped", "first_chunk_at",
        "intent", "meter", "parser",
        "refused", "request", "slowest", "streamed", "tap", "target", "vendor_status",
    )  # fmt: skip

    def __init__(
        self,
        services: "Services",
        call: Call,
        caller: Caller,
        target: Target,
        *,
        number: int,
        input_tokens: int,
        wire: WireAdapter | None = None,
        tap: Tap | None = None,
    ) -> None:
        """`wire` replaces the target's own; `tap` takes what comes in, for others to read.

        Raises InvalidRequest for what the target's wire cannot express.
        """
        self.call = call
        self.request = with_parameters(call.request, target)
        self._services = services
        self._wire = wire or spoken(self.request, target)
        self._response: AbstractAsyncContextManager[UpstreamResponse] | None = None
        self._source: AsyncIterator[bytes] | None = None
        self._pace: Pace | None = None
        self.slowest: float | None = None
        self.streamed = False
        self.parser: StreamParser | None = None
        self.tap = tap
        self.vendor_status: int | None = None
        self._first: list[Chunk] | None = None
        self._buffered = 0
        self._failure: OrchestratorError | None = None
        self._over = False
        self.target = target
        self.meter = Meter()
        self.refused = False
        self.dropped: tuple[str, ...] = ()
        self.content_type = JSON
        self.began: float | None = None
        self.first_chunk_at: float | None = None
        self._heard_at: float | None = None
        self.intent = intent_for(services, call, caller, target, number=number, tokens=input_tokens)

    @property
    def seconds_to_first_chunk(self) -> float:
        """Once it has begun."""
        assert self.began is not None and self.first_chunk_at is not None  # noqa: S101, PT018
        return self.first_chunk_at - self.began

    @property
    def answered_by(self) -> str:
        """ "provider/model"."""
        return self.target.name

    @property
    def failure(self) -> OrchestratorError | None:
        """What the target did wrong after its answer began."""
        return self._failure

    @property
    def complete(self) -> bool:
        """Whether the caller has got, or can be given, a whole answer."""
        return self._over and self.meter.finished

    async def begin(self) -> None:
        """Returns with the first of the answer in hand. Raises Unavailable before, UpstreamError after dispatch."""
        call, loop = self.call, asyncio.get_running_loop()
        request = self._wire.build_request(self.request, self.target)
        self.dropped = tuple(map(shown_name, request.dropped[:MOST_NAMES]))
        await self._services.ledger.open(self.intent)
        self.began = loop.time()
        if self.intent.attempt == 1:
            metrics.GATEWAY_OVERHEAD.observe(self.began - call.began)
        names = (("x-request-id", str(call.request_id)), ("x-orchestrator-attempt", str(self.intent.attempt)))
        target = self.target
        entering = self._services.upstream.send(request, target.deadlines, names, target.provider_scope)
        response = await entering.__aenter__()
        self._response = entering
        self.vendor_status, self.streamed = response.status, request.stream
        if not 200 <= response.status < 300:
            self.refused = True
            raise self._wire.parse_error(response.status, response.headers, await response.read_error())
        if request.stream:
            self._first = await self._first_of_stream_in_time(response, request.dropped)
        else:
            self._first = [await self._whole(response)]
        self.first_chunk_at = self._heard_at or loop.time()

    async def _whole(self, response: "UpstreamResponse") -> Chunk:
        dialect = self.request.dialect
        body = await response.read()
        chunk = self._wire.parse_response(body, dialect)
        if self.tap is not None:
            self.tap.add(body)
        if dialect in NOT_ALWAYS_JSON:
            self.content_type = shown_kind(response.headers.get("content-type", ""))
        self.meter.see(chunk)
        self._over = True
        return chunk

    async def _first_of_stream_in_time(self, response: "UpstreamResponse", dropped: Collection[str]) -> list[Chunk]:
        seconds = self.target.deadlines.first_chunk
        if seconds is None:
            return await self._first_of_stream(response, dropped)
        async with Deadline(seconds, no_first_chunk) as deadline:
            return await self._first_of_stream(response, dropped, deadline)

    async def _first_of_stream(
        self, response: "UpstreamResponse", dropped: Collection[str], deadline: Deadline | None = None
    ) -> list[Chunk]:
        if response.headers.get("content-type", "").startswith("application/json"):
            # An error in an answer that claims to be none is told as what it is.
            self._wire.parse_response(await response.read(), self.request.dialect)
            raise UpstreamGarbled("The provider answered as a whole where a stream was asked for.")
        self.parser = self._wire.parse_stream(as_sent(self.request, dropped))
        self._source = response.chunks()
        if self.slowest is not None:
            self._pace = Pace(self.slowest, asyncio.get_running_loop().time)
        self._feed, self._next_bytes = self.parser.feed, self._source.__anext__
        return await self._first_news(deadline)

    async def _first_news(self, deadline: Deadline | None) -> list[Chunk]:
        # What events of pictures and sound say is not read: none is taken for a comment.
        is_task = self.request.dialect in TASKS
        held: list[Chunk] = []
        room = MOST_HELD
        async for batch in self:
            news = [chunk for chunk in batch if not chunk.repeated]
            if len(news) < len(batch):
                self._heard(deadline)
            if is_task or any(map(says_something, news)):
                return held + news
            for chunk in news:
                room -= len(chunk.raw) + CHUNK_BYTES
                if room > 0:
                    held.append(chunk)
        return held

    def _heard(self, deadline: Deadline | None) -> None:
        """What a provider says again for the caller's sake shows that it answers, and takes its time."""
        if self._heard_at is None:
            self._heard_at = asyncio.get_running_loop().time()
        if deadline is not None:
            deadline.met()

    def __aiter__(self) -> "Attempt":
        return self

    async def __anext__(self) -> list[Chunk]:
        """One coroutine for all of it: this runs for every chunk of every stream."""
        first = self._first
        if first:
            self._first = None
            return first
        while not self._over:
            if self._failure is not None:
                raise self._failure
            try:
                if self._pace is not None:
                    self._pace.waits()
                piece = await self._next_bytes()
                if self.tap is not None:
                    self.tap.add(piece)
                visible = self._take(self._feed(piece))
                if self._pace and not self._failure and (slow := self._pace.check(self.meter.output_bytes)):
                    self._break_off(slow)
            except StopAsyncIteration:
                visible = self._take_the_end()
            except UpstreamError as error:
                self._break_off(error)
                visible = self._take(self.parser.close()) if self._over and self.parser else []
            if visible:
                return visible
        raise StopAsyncIteration

    def _take(self, chunks: list[Chunk]) -> list[Chunk]:
        """Meters the chunks and keeps those the caller may see, up to the end or to an error."""
        meter, shows_usage = self.meter, self.request.include_usage
        visible: list[Chunk] = []
        for chunk in chunks:
            if chunk.error is not None:
                self._break_off(chunk.error)
                break
            meter.see(chunk)
            if chunk.done and not meter.finished:
                self._break_off(unfinished())
                break
            if shows_usage or not chunk.usage_only:
                visible.append(chunk)
            if chunk.done:
                self._over = True
                break
        return visible

    def _take_the_end(self) -> list[Chunk]:
        """What was left over when the upstream ended; it ends well only if the answer was finished."""
        assert self.parser is not None  # noqa: S101 only streams are read on
        visible = self._take(self.parser.close())
        if not self._over and self._failure is None:
            self._break_off(unfinished())
        return visible

    def _break_off(self, error: OrchestratorError) -> None:
        """Notes the failure, to be raised once the caller has what came before it. Of a finished answer nothing is
        missing but the usage or the closing mark: that is an end."""
        if self.meter.finished:
            self._over = True
        else:
            self._failure = error

    async def hear_out(self, most: int) -> None:
        """Returns with the whole stream in hand, or with `most` bytes of it, or as many as there is room for with the
        answers that are kept. Raises UpstreamError."""
        taps = self._services.taps
        heard: list[Chunk] = []
        async for batch in self:
            heard += batch
            size = sum(len(chunk.raw) + CHUNK_BYTES for chunk in batch)
            self._buffered += size
            taps.held += size
            if self._buffered >= most or taps.held >= taps.most_bytes:
                break
        self._first = heard

    async def close(self) -> None:
        """Gives the connection back, or drops it when the answer was not read to its end. Gives all room back."""
        self._services.taps.held -= self._buffered
        self._buffered = 0
        if self._response is None:
            return
        response, self._response = self._response, None
        try:
            if self._over and self._source is not None:
                await self._read_to_end(self._source)
        finally:
            await response.__aexit__(None, None, None)

    async def _read_to_end(self, source: AsyncIterator[bytes]) -> None:
        """After the closing mark only the end of the body is left: read, it leaves a connection for the next call."""
        try:
            async with asyncio.timeout(SECONDS_TO_END):
                async for _ in source:
                    pass
        except (TimeoutError, UpstreamError):
            pass


def no_first_chunk(seconds: float) -> OrchestratorError:
    return UpstreamTimeout(f"The provider said nothing within {seconds:g} seconds.")


def with_parameters(request: ChatRequest, target: Target) -> ChatRequest:
    """The request with the route's fields in the place of the caller's."""
    if not target.parameters:
        return request
    return msgspec.structs.replace(request, fields={**request.fields, **dict(target.parameters)})


def unfinished() -> UpstreamGarbled:
    return UpstreamGarbled("The provider's answer ended before it was finished.", code="upstream_cut")


def shown_kind(content_type: str) -> bytes:
    known = KIND.fullmatch(content_type.lower()) and content_type.isascii() and content_type.isprintable()
    return content_type.encode() if known else b"application/octet-stream"


def as_sent(request: ChatRequest, dropped: Collection[str]) -> ChatRequest:
    """Who was asked for one answer, where the caller wanted several, is done with one."""
    return msgspec.structs.replace(request, choices=1) if "n" in dropped else request


def shown_name(name: str) -> str:
    """A name that a header can carry."""
    return name[:LONGEST_NAME] if name.isascii() and name.isprintable() else "?"


def says_something(chunk: Chunk) -> bool:
    """Whether an event is part of an answer, rather than a comment that keeps the connection alive."""
    return bool(chunk.model or chunk.text or chunk.finish_reason or chunk.usage or chunk.done)


def intent_for(services: "Services", call: Call, caller: Caller, target: Target, *, number: int, tokens: int) -> Intent:
    price = target.price
    return Intent(
        request_id=call.request_id,
        attempt=number,
        tenant_id=caller.config.tenant_id,
        api_key_id=caller.record.id,
        user_id=caller.record.user_id,
        provider=target.provider,
        provider_scope=target.provider_scope,
        model=target.model,
        requested_model=call.request.model,
        stream=call.request.stream,
        process_id=services.ledger.process_id,
        dispatched_at=services.clock.now(),
        estimated_input_tokens=tokens,
        estimated_cost_nano=0 if price is None else cost(Usage(input_tokens=tokens), price),
        price_version=None if price is None else price.version,
    )
