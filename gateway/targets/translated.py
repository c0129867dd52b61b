"""A circuit between this process's own clock and the Unix times that processes tell each other."""

from typing import Final, cast

from common.clock import Clock
from gateway.causes import Cause
from gateway.targets.circuit import LONGEST_FOR_A_CREDENTIAL, LONGEST_REST, Circuit
from providers.circuits import Trouble

# Whatever another's clock says.
LONGEST_OUT: Final = max(LONGEST_FOR_A_CREDENTIAL, LONGEST_REST)
# The two clocks drift; a circuit does not open twice within this time.
SAME_SECONDS: Final = 0.05


def told_of(circuit: Circuit, clock: Clock) -> Trouble | None:
    """None for a circuit without trouble."""
    now = clock.monotonic()
    if circuit.untroubled(now):
        return None
    offset = clock.now().timestamp() - now
    rests_until = circuit.rests_until + offset if circuit.rests_until > now else 0.0
    if circuit.state == "closed":
        return Trouble(rests_until=rests_until, cause="rate_limited")
    return Trouble(
        opened_at=circuit.opened_at + offset,
        until=circuit.until + offset,
        rests_until=rests_until,
        failures=circuit.failures,
        openings=circuit.openings,
        cause=circuit.cause,
    )


def adopt(circuit: Circuit, trouble: Trouble | None, clock: Clock) -> None:
    """The circuit as another process tells it; None: without trouble."""
    now = clock.monotonic()
    offset = clock.now().timestamp() - now

    def ours(moment: float) -> float:
        return min(moment - offset, now + LONGEST_OUT) if moment else 0.0

    if trouble is None:
        if not circuit.untroubled(now):
            circuit.learn_closed()
        return
    if not trouble.until:
        if circuit.state != "closed":
            circuit.learn_closed()
    elif circuit.state == "closed" or abs(ours(trouble.opened_at) - circuit.opened_at) > SAME_SECONDS:
        cause = cast(Cause, trouble.cause)
        circuit.learn_open(ours(trouble.opened_at), ours(trouble.until), trouble.failures, trouble.openings, cause)
    circuit.rests_until = max(circuit.rests_until, ours(trouble.rests_until))
