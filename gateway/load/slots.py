"""The places of one key: how many are taken, who waits, and how long a place is held."""

from typing import Final

from gateway.load.queue import FairQueue

# How much the latest call says of how long they take.
NEWEST: Final = 0.2


class Slots:
    __slots__ = ("key", "limit", "queue", "seconds_held", "taken")

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        self.taken = 0
        self.queue = FairQueue()
        self.seconds_held: float | None = None

    @property
    def idle(self) -> bool:
        return not self.taken and not len(self.queue)

    def note(self, seconds: float) -> None:
        held = self.seconds_held
        self.seconds_held = seconds if held is None else held + NEWEST * (seconds - held)

    def seconds_until_free(self) -> float | None:
        """About how long somebody who came now would wait; None where no call has ended yet."""
        if self.seconds_held is None:
            return None
        return self.seconds_held * (len(self.queue) + 1) / self.limit
