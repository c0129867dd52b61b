"""A clock that stands still until a test moves it."""

import time
from datetime import UTC, datetime


class HeldClock:
    def __init__(self) -> None:
        self._start = time.time()
        self._passed = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + self._passed, UTC)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    def pass_by(self, seconds: float) -> None:
        self._passed += seconds
