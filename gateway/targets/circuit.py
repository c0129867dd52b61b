"""Whether a target is asked: closed, open, or half open while one request finds out how it is.

It opens after five failures in a row, or when half of ten or more calls within 30 s failed; for a credential that is
not accepted at once. It stays open for 1 s, twice as long each time it opens again, up to 4 s (a credential: 60 s), so
that a target that has recovered is soon back. Then one request is the probe. Its first chunk closes the circuit, but on
trial: until a call has succeeded altogether one failure opens it again.

A rate limit opens nothing: the target rests for as long as it says, at most 60 s; if it says nothing for 1 s, twice as
long each time. All times are of one monotonic clock, in seconds; `draw` is a random number from 0 to 1.
"""

from typing import Final, Literal

from gateway.causes import SAYS_NOTHING, Cause

State = Literal["closed", "open", "half_open"]

FAILURES_IN_A_ROW: Final = 5
FAILED_SHARE: Final = 0.5
LEAST_OUTCOMES: Final = 10
FIRST_INTERVAL: Final = 1.0
LONGEST_INTERVAL: Final = 4.0
LONGEST_FOR_A_CREDENTIAL: Final = 60.0
# Intervals end a little before their time, by chance, so that circuits that opened together are not probed together.
JITTER: Final = 0.25
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
# A rest that is this little longer is the same rest.
SECONDS_WORTH_TELLING: Final = 0.5
# A probe that was claimed leaves within this time, or another may.
SECONDS_TO_BEGIN: Final = 5.0
MOST_DOUBLINGS: Final = 10

SLOTS: Final = 6
SECONDS_A_SLOT: Final = 5.0


class Outcomes:
    """How many calls lately succeeded and failed, in six slots of 5 s."""

    __slots__ = ("_failed", "_slot", "_succeeded")

    def __init__(self) -> None:
        self._slot = 0
        self.forget()

    def forget(self) -> None:
        self._succeeded, self._failed = [0] * SLOTS, [0] * SLOTS

    def note(self, now: float, *, failed: bool) -> None:
        slot = int(now / SECONDS_A_SLOT)
        if slot != self._slot:
            self._turn(slot)
        (self._failed if failed else self._succeeded)[slot % SLOTS] += 1

    def too_many_failed(self) -> bool:
        failed = sum(self._failed)
        total = failed + sum(self._succeeded)
        return total >= LEAST_OUTCOMES and failed >= FAILED_SHARE * total

    def _turn(self, slot: int) -> None:
        for each in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._succeeded[each % SLOTS] = self._failed[each % SLOTS] = 0
        self._slot = slot


class Circuit:
    """Methods that return a bool say whether something changed that other processes ought to know.

    `until` is when an open circuit may be probed; `probing_until` how long a probe that was claimed has to begin, or
    another process's to end; `probe` is this process's once it is under way.
    """

    __slots__ = (
        "_outcomes", "_rests", "cause", "failures", "opened_at", "openings", "probe", "probing_until", "rests_until",
        "state", "until",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state: State = "closed"
        self.cause: Cause | Literal[""] = ""
        self.failures = self.openings = self._rests = 0
        self.opened_at = self.until = self.rests_until = self.probing_until = 0.0
        self.probe: object | None = None
        self._outcomes = Outcomes()

    def untroubled(self, now: float) -> bool:
        return self.state == "closed" and self.rests_until <= now

    def shown(self, now: float) -> State:
        """To people: half open is also one that waits for a request to probe it."""
        return "half_open" if self.state == "open" and self.until <= now else self.state

    def out_until(self, now: float) -> float:
        """When a request may go there next; not later than now if one may."""
        if self.state == "closed":
            return self.rests_until
        if self.probe is not None:
            return now + SECONDS_TO_BEGIN
        return max(self.until, self.probing_until, self.rests_until)

    def claim(self, now: float) -> None:
        """The next request is the probe, and has a moment to begin."""
        self.state, self.probing_until = "half_open", now + SECONDS_TO_BEGIN

    def unclaim(self, until: float = 0.0) -> None:
        """Another may probe, from `until` on."""
        self.probe = None
        if self.state == "half_open":
            self.state, self.probing_until = "open", until

    def answered(self, probe: object) -> bool:
        """The first chunk of the probe is there."""
        if self.state == "closed" or self.probe is not probe:
            return False
        self._close()
        self.failures = FAILURES_IN_A_ROW - 1
        return True

    def succeeded(self, now: float, call: object) -> bool:
        if self.state != "closed":
            if self.probe is not call:
                return False
            self._close()
            self.openings = self._rests = 0
            return True
        self.failures = self.openings = self._rests = 0
        self._outcomes.note(now, failed=False)
        return False

    def failed(self, now: float, call: object, cause: Cause, retry_after: float | None, draw: float) -> bool:
        if cause in SAYS_NOTHING:
            return self.succeeded(now, call)
        probed = self.probe is not None and self.probe is call
        if cause == "rate_limited":
            return self._rest(now, retry_after, probed=probed)
        if self.state != "closed" and not probed:
            # It left before the circuit opened, or in spite of it: nothing new.
            return False
        self.failures += 1
        self._outcomes.note(now, failed=True)
        opens = probed or cause == "credential" or self.failures >= FAILURES_IN_A_ROW
        if not opens and not self._outcomes.too_many_failed():
            return False
        self._open(now, cause, draw)
        return True

    def abandoned(self, call: object) -> bool:
        """The caller hung up: nothing is known of the target. Whether it was the probe, which is free again."""
        if self.probe is None or self.probe is not call:
            return False
        self.unclaim()
        return True

    def learn_closed(self) -> None:
        """Another process has closed it, or nobody knows of trouble any more."""
        self._close()
        self.rests_until = 0.0

    def learn_open(self, opened_at: float, until: float, failures: int, openings: int, cause: Cause) -> None:
        """Another process has opened it. A probe of this process that is under way goes on, but closes nothing."""
        self.state, self.probe, self.cause = "open", None, cause
        self.opened_at, self.until, self.failures, self.probing_until = opened_at, until, failures, 0.0
        self.openings = max(self.openings, openings)

    def _open(self, now: float, cause: Cause, draw: float) -> None:
        longest = LONGEST_FOR_A_CREDENTIAL if cause == "credential" else LONGEST_INTERVAL
        interval = min(longest, FIRST_INTERVAL * 2.0 ** min(self.openings, MOST_DOUBLINGS))
        self.openings += 1
        self.state, self.cause, self.opened_at, self.probe = "open", cause, now, None
        self.until, self.probing_until = now + interval * (1.0 - JITTER * draw), 0.0

    def _close(self) -> None:
        self.state, self.cause, self.probe = "closed", "", None
        self.failures = 0
        self.opened_at = self.until = self.probing_until = 0.0
        self._outcomes.forget()

    def _rest(self, now: float, retry_after: float | None, *, probed: bool) -> bool:
        """A probe that was told to come later leaves the circuit as it was."""
        if probed:
            self.unclaim()
        if retry_after is None:
            if self.rests_until > now:
                # Calls that were under way together were refused together: that is one refusal.
                return probed
            retry_after = FIRST_REST * 2.0 ** min(self._rests, MOST_DOUBLINGS)
            self._rests += 1
        until = now + min(max(retry_after, 0.0), LONGEST_REST)
        if self.rests_until > now and until <= self.rests_until + SECONDS_WORTH_TELLING:
            return probed
        self.rests_until = until
        return True
