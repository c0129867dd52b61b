"""From a host to the addresses to connect to, judged. Whoever connects uses these, and resolves nothing again."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Final

from providers.egress.policy import EgressPolicy, Scope, literal

# Long enough that a busy host is not asked for all the time, short enough for one that moves.
KEPT_SECONDS: Final = 30.0
# A name that is not known costs a thread for as long as the name service takes to say so.
UNKNOWN_KEPT_SECONDS: Final = 5.0
MOST_HOSTS: Final = 4096

Lookup = Callable[[str], Awaitable[Sequence[str]]]


async def system_lookup(host: str) -> Sequence[str]:
    """All addresses of a name, in the order to be tried. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def checked_answer(policy: EgressPolicy, host: str, found: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """The addresses, once every single one may be connected to: one bad apple spoils the answer."""
    if not found:
        raise OSError(f"no address for {host}")
    for each in found:
        policy.check_address(host, ip_address(each), scope)
    return tuple(found)


class Resolver:
    """One per process. What a name service said is kept for a while; who may use it is judged each time.

    Several that ask for one host at once wait for one answer.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        lookup: Lookup = system_lookup,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._lookup = lookup
        self._now = now
        self._kept: dict[str, tuple[float, tuple[str, ...] | None]] = {}
        self._under_way: dict[str, asyncio.Task[tuple[str, ...] | None]] = {}

    async def places(self, host: str, scope: Scope) -> tuple[str, ...]:
        """At least one address, all of which may be connected to. Raises AddressRefused and OSError."""
        address = literal(host)
        found = (str(address),) if address is not None else await self._found(host)
        return checked_answer(self._policy, host, found, scope)

    async def _found(self, host: str) -> tuple[str, ...]:
        until, found = self._kept.get(host, (0.0, None))
        if until <= self._now():
            task = self._under_way.get(host)
            if task is None:
                task = self._under_way[host] = asyncio.create_task(self._ask(host))
            # Who gives up waiting does not take the answer from the others.
            found = await asyncio.shield(task)
        if found is None:
            raise OSError(f"no address for {host}")
        return found

    async def _ask(self, host: str) -> tuple[str, ...] | None:
        try:
            found = tuple(await self._lookup(host))
        except (OSError, UnicodeError):
            found = ()
        finally:
            del self._under_way[host]
        while len(self._kept) >= MOST_HOSTS:
            del self._kept[next(iter(self._kept))]
        until = self._now() + (KEPT_SECONDS if found else UNKNOWN_KEPT_SECONDS)
        self._kept.pop(host, None)
        self._kept[host] = (until, found or None)
        return found or None
