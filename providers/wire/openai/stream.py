"""Events of a streamed completion."""

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.openai.errors import error_in_answer
from providers.wire.openai.response import NO_REASON, Answer, finish_reason_of, read_answer, text_of, usage_of
from providers.wire.shapes import Chunk
from providers.wire.sse import MAX_EVENT_BYTES, EventStream

DONE = b"[DONE]"


class OpenAIStream(EventStream[Chunk]):
    """One stream. `choices` is how many answers the request asked for."""

    def __init__(self, choices: int = 1, limit: int = MAX_EVENT_BYTES) -> None:
        super().__init__(limit)
        self._choices = choices
        self._ended: set[int] = set()

    def _garbled(self, raw: bytes, error: UpstreamGarbled) -> Chunk:
        return Chunk(raw=raw, error=error)

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> Chunk:
        if len(payload) < 32:
            word = payload.strip()
            if word == DONE:
                return Chunk(raw=raw, done=True, finished=bool(self._ended))
            if not word:
                return Chunk(raw=raw, finished=self._finished)
        try:
            return self._chunk(raw, read_answer(payload), payload if kind == b"error" else b"")
        except UpstreamGarbled as garbled:
            return Chunk(raw=raw, error=garbled, finished=self._finished)

    def _chunk(self, raw: bytes, answer: Answer, failure: bytes) -> Chunk:
        choices = answer.choices
        if not choices:
            return self._chunk_without_choices(raw, answer, failure)
        reason = finish_reason_of(choices)
        if reason is not None:
            self._ended.update(choice.index for choice in choices if choice.finish_reason not in NO_REASON)
        return Chunk(
            raw,
            text_of(choices),
            answer.model,
            reason,
            None if answer.usage is None else usage_of(answer.usage),
            error_in_answer(answer.error) if answer.error else None,
            self._finished,
        )

    def _chunk_without_choices(self, raw: bytes, answer: Answer, failure: bytes) -> Chunk:
        error = error_in_answer(answer.error) or (error_in_answer(msgspec.Raw(failure)) if failure else None)
        usage = None if answer.usage is None else usage_of(answer.usage)
        return Chunk(
            raw=raw,
            model=answer.model,
            usage=usage,
            error=error,
            finished=self._finished,
            usage_only=answer.usage is not None and error is None,
        )

    @property
    def _finished(self) -> bool:
        return len(self._ended) >= self._choices
