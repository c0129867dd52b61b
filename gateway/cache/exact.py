"""The cache of answers as the pipeline sees it, and the one that there is: for the very same request.

Redis comes first, in the round trip of admission; this process's memory is asked for what was not there, since it holds
only what Redis did not take.
"""

from typing import Protocol

from common.errors import Unavailable
from gateway.cache.local import LocalAnswers
from gateway.cache.question import Question
from gateway.cache.shelf import Shelf
from gateway.cache.stored import Stored, read, written


class AnswerCache(Protocol):
    """Another kind may follow one that found nothing: it has the request, the tenant and the route's rule."""

    async def find(self, question: Question, found: bytes | None) -> Stored | None:
        """`found` is what admission read under `question.lookup`. Never raises."""
        ...

    async def store(self, question: Question, stored: Stored) -> None:
        """Never raises: an answer that cannot be kept is not."""
        ...


class ExactCache:
    def __init__(self, shelf: Shelf, local: LocalAnswers) -> None:
        self._shelf = shelf
        self._local = local

    async def find(self, question: Question, found: bytes | None) -> Stored | None:
        kept = found or self._local.find(question.key)
        return None if kept is None else read(kept)

    async def store(self, question: Question, stored: Stored) -> None:
        """Within the route's bound of bytes; in Redis, or here where Redis refuses it, fills up or is away."""
        rule, answer = question.rule, written(stored)
        if len(answer) > rule.most_bytes:
            return
        try:
            await self._shelf.store(question.tenant_id, question.key, answer, ttl_seconds=rule.ttl_seconds)
        except Unavailable:
            self._local.store(question.key, answer, ttl_seconds=rule.ttl_seconds)
        else:
            self._local.forget(question.key)
