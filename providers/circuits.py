"""Targets that are left alone, as the processes of an installation tell it to each other and to people.

Redis   platform:targets:circuits   a hash: target's key → JSON of Trouble; what is past is taken out by who reads it
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal
from uuid import UUID

import msgspec

KEY: Final = "platform:targets:circuits"
# Of a circuit that nobody has probed for so long nothing is known any more.
SECONDS_KEPT: Final = 300.0
PLATFORM: Final = "platform"

CircuitState = Literal["closed", "open", "half_open"]


class Trouble(msgspec.Struct, frozen=True):
    """Times are in Unix seconds. `until` is when an open circuit may be probed, 0 for one that is closed; `cause` is
    one of `gateway.causes.Cause`."""

    opened_at: float = 0.0
    until: float = 0.0
    rests_until: float = 0.0
    failures: int = 0
    openings: int = 0
    cause: str = ""

    def is_past(self, now: float) -> bool:
        return max(self.until, self.rests_until) + (SECONDS_KEPT if self.until else 0.0) < now

    def state(self, now: float) -> CircuitState:
        """Half open is one that waits for the request that probes it, or for what that brings."""
        if not self.until:
            return "closed"
        return "open" if self.until > now else "half_open"


DECODER: Final = msgspec.json.Decoder(Trouble)


def decode(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, Trouble]:
    """What cannot be read, from a process of another version, is left out."""
    found = {}
    for key, value in pairs:
        try:
            found[key.decode()] = DECODER.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found


def owner_and_provider(target_key: str) -> tuple[str, str]:
    """ "platform/openai/gpt-4o#a" is of ("platform", "openai"); a tenant is "t:" and its id in hex."""
    owner, provider, *_ = (*target_key.split("/", 2), "")
    return owner, provider


def owner_name(tenant_id: UUID | None) -> str:
    return PLATFORM if tenant_id is None else f"t:{tenant_id.hex}"


def worst_by_provider(troubles: Mapping[str, Trouble], now: float) -> dict[tuple[str, str], CircuitState]:
    """By `owner_and_provider`; one that is not named has its circuits closed."""
    ranks: tuple[CircuitState, ...] = ("closed", "half_open", "open")
    found: dict[tuple[str, str], CircuitState] = {}
    for key, trouble in troubles.items():
        if not trouble.is_past(now):
            named = owner_and_provider(key)
            found[named] = max(found.get(named, "closed"), trouble.state(now), key=ranks.index)
    return found
