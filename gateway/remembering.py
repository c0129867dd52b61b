"""The cache of answers on the way of one request: looked up with the admission, filled when the answer has ended."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from billing.limits.admission import Lookup
from gateway import metrics
from gateway.attempt import Attempt
from gateway.cache.heard import Heard
from gateway.cache.question import Question
from gateway.cache.stored import Stored, chunks_of
from gateway.calls import Call, Caller
from gateway.deciding import Deciding
from gateway.failover.rescue import Rescued
from gateway.settling import spent
from providers.catalogue import Resolution
from providers.wire.shapes import Chunk, Usage

if TYPE_CHECKING:
    from gateway.services import Services


class Replayed:
    """A kept answer as `Attempt` gives one: all of it at once."""

    def __init__(self, stored: Stored, call: Call) -> None:
        self.stored = stored
        self.content_type = stored.content_type.encode()
        self.dropped: tuple[str, ...] = ()
        self._left = [chunks_of(stored, call.request)]

    @property
    def answered_by(self) -> str:
        return f"{self.stored.provider}/{self.stored.model}"

    def __aiter__(self) -> "Replayed":
        return self

    async def __anext__(self) -> list[Chunk]:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class Remembering:
    """`lookup` before admission, `found` after it, `keep` at the end."""

    def __init__(self, services: "Services", call: Call, deciding: Deciding) -> None:
        self._services = services
        self._call = call
        self._deciding = deciding
        self._question: Question | None = None

    def lookup(self) -> Lookup | None:
        """By the configuration at hand: where that turns out to be old, nothing is found."""
        call = self._call
        if not call.wishes.look_up:
            return None
        resolution = self._services.configs.known(call.identified.config, call.request.model)
        if resolution is None:
            return None
        self._question = self._question_about(call.identified.config.tenant_id, resolution)
        return None if self._question is None else self._question.lookup

    async def found(self, caller: Caller, resolution: Resolution) -> Stored | None:
        """Notes what is to be kept as well."""
        asked, question = self._question, self._question_about(caller.config.tenant_id, resolution)
        if question is None:
            return None
        wishes, deciding = self._call.wishes, self._deciding
        deciding.question = question if wishes.keep else None
        stored = None
        if asked is not None and asked.key == question.key:
            stored = await self._services.cache.find(question, caller.admitted.found)
        deciding.cache = "hit" if stored is not None else "miss" if wishes.look_up else "bypass"
        metrics.record_lookup(deciding.cache)
        if stored is not None:
            deciding.details = {"saved_cost_nano": stored.cost_nano, "saved_charge_nano": stored.charge_nano}
        return stored

    def keep(self, source: Attempt | Rescued) -> None:
        """A finished answer of one attempt, and one whose cost is known."""
        question = self._deciding.question
        attempt = source if isinstance(source, Attempt) else source.sole_attempt
        if question is None or attempt is None or not attempt.complete:
            return
        tap, usage = attempt.tap, attempt.meter.usage
        if tap is None or tap.pieces is None or usage is None:
            return
        attempt.tap = None
        self._deciding.cache = "stored"
        self._services.keeping.keep(question, heard(attempt, tap.pieces, usage), tap)

    def _question_about(self, tenant_id: UUID, resolution: Resolution) -> Question | None:
        call = self._call
        return self._services.questions.of(tenant_id, resolution, call.request, call.wishes.tags)


def heard(attempt: Attempt, pieces: Sequence[bytes], usage: Usage) -> Heard:
    cost_nano, charge_nano = spent(attempt.target, usage)
    return Heard(
        request=attempt.request,
        target=attempt.target,
        pieces=pieces,
        streamed=attempt.streamed,
        usage=usage,
        cost_nano=cost_nano,
        charge_nano=charge_nano,
        content_type=attempt.content_type.decode(),
    )
