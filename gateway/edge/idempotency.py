"""Requests with an `idempotency-key`: answered once, and again with the same bytes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from billing.idempotency.claims import (
    HEADER,
    MOST_BYTES,
    ORIGINAL,
    REPLAYED,
    Claim,
    Kept,
    claim_of,
    is_final,
    not_kept,
    still_running,
)
from common.errors import OrchestratorError
from gateway import metrics
from gateway.admitting import admit
from gateway.bodies import Held
from gateway.calls import Identified
from gateway.deadline import Deadline
from gateway.edge.asgi import Message, Receive, Send
from gateway.edge.hang_up import watching
from gateway.edge.limits_shown import limit_headers
from gateway.edge.request import Request
from gateway.edge.response import Response

if TYPE_CHECKING:
    from gateway.services import Services

IDEMPOTENCY_KEY: Final = HEADER.encode()
# Of the rest, each answer has its own.
KEPT_HEADERS: Final = (b"content-type", b"cache-control", b"x-accel-buffering")
KEPT_PREFIX: Final = b"x-orchestrator-"

LARGEST_ON_LOOP: Final = 256 * 1024

Keep = Callable[[Kept], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AskedOnce:
    """A request that is to be done once."""

    services: "Services"
    request: Request
    identified: Identified
    body: bytes
    held: Held

    async def answer(
        self, key: bytes, receive: Receive, response: Response, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Does `work`, unless that was done. Raises what it raises; Conflict, InvalidRequest, Unavailable."""
        services, tenant = self.services, self.identified.config.identity.tenant
        # A large body takes long to digest, which needs no loop.
        small = len(self.body) <= LARGEST_ON_LOOP
        claim = self._claim(key) if small else await asyncio.to_thread(self._claim, key)
        with watching(receive):
            async with Deadline(services.settings.request_timeout, still_running):
                kept = await services.once.claim(tenant, claim)
        metrics.IDEMPOTENT.labels("done" if kept is None else "replayed").inc()
        if kept is not None:
            await self._answer_again(kept, response)
            return

        async def keep(answer: Kept) -> None:
            await services.once.keep(tenant, claim, answer)

        try:
            await recorded(Recording(claim, self.held, keep), response, work)
        finally:
            services.once.release(tenant, claim)

    def _claim(self, key: bytes) -> Claim:
        request, headers = self.request, self.request.headers
        return claim_of(
            key,
            tenant_id=self.identified.config.tenant_id,
            key_id=self.identified.record.id,
            asked=(request.method.encode(), request.path.encode(), request.query, self.body),
            content_type=headers[b"content-type"],
            request_id=request.id,
        )

    async def _answer_again(self, kept: Kept, response: Response) -> None:
        """To whom the key still belongs, and counted as a request: only the answer is free of charge."""
        caller = await admit(self.services, self.identified)
        if kept.body is None:
            raise not_kept(kept)
        self.held.add(len(kept.body))
        marks = [(REPLAYED.encode(), b"true"), (ORIGINAL.encode(), str(kept.request_id).encode())]
        told = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.headers]
        await response.again(kept.status, kept.body, [*told, *limit_headers(caller.admitted), *marks])


async def recorded(recording: "Recording", response: Response, work: Callable[[], Awaitable[None]]) -> None:
    response.send_through(recording.through)
    try:
        await work()
    except OrchestratorError as error:
        if response.status or error.retry_after is not None or not is_final(error.status):
            recording.broken = True
            raise
        await response.fail(error)
    except BaseException:
        recording.broken = True
        raise


class Recording:
    """What is sent, kept just before its last byte is: who has that byte can rely on it.

    Of an answer that is longer than MOST_BYTES, or than there is room for, only that it was given.
    """

    def __init__(self, claim: Claim, held: Held, keep: Keep) -> None:
        self.broken = False
        self._claim = claim
        self._held = held
        self._keep = keep
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body: bytearray | None = bytearray()

    def through(self, send: Send) -> Send:
        async def recording(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status, self._headers = message["status"], kept_headers(message["headers"])
            elif not self.broken:
                self._add(message["body"])
                if not message["more_body"] and is_final(self._status):
                    body = None if self._body is None else bytes(self._body)
                    await self._keep(Kept(self._claim.request_id, self._status, self._headers, body))
            await send(message)

        return recording

    def _add(self, piece: bytes) -> None:
        if self._body is None:
            return
        try:
            if len(self._body) + len(piece) > MOST_BYTES:
                self._body = None
                return
            self._held.add(len(piece))
        except OrchestratorError:
            self._body = None
            return
        self._body += piece


def kept_headers(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name in KEPT_HEADERS or name.startswith(KEPT_PREFIX)
    )
