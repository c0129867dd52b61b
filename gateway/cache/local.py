"""Answers in this process's memory: the place for those that Redis does not take."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

# What an entry needs beside its bytes.
BESIDE: Final = 300


class LocalAnswers:
    """At most `most_bytes` in all, and a quarter of it an answer; what was not used for longest makes room."""

    def __init__(self, most_bytes: int = 16 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.size = 0

    def find(self, key: bytes) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        until, answer = entry
        if until <= self._clock():
            self.forget(key)
            return None
        self._entries.move_to_end(key)
        return answer

    def store(self, key: bytes, answer: bytes, *, ttl_seconds: float) -> None:
        self.forget(key)
        size = len(answer) + BESIDE
        if size > self._most_bytes // 4:
            return
        self._entries[key] = (self._clock() + ttl_seconds, answer)
        self.size += size
        while self.size > self._most_bytes:
            self.forget(next(iter(self._entries)))

    def forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= len(entry[1]) + BESIDE
