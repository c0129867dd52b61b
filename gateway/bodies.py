"""The bodies that this process holds: bounded in all, and for each tenant, so that one cannot lock the others out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from common.errors import RateLimited, Unavailable

FEWEST_IN_PIECES: Final = 16


class Bodies:
    """`with Held(bodies, tenant_id) as held:` around each request, from the first byte of its body to its answer.

    A tenant may have `most_in_pieces` bodies that are still coming in, and half of `most_bytes`.
    """

    def __init__(self, *, most_in_pieces: int, most_bytes: int) -> None:
        self.most_in_pieces = max(most_in_pieces, FEWEST_IN_PIECES)
        self.most_bytes = most_bytes
        self.bytes = 0
        self.bytes_of: dict[UUID, int] = {}
        self.in_pieces_of: dict[UUID, int] = {}


class Held:
    """One request's share."""

    __slots__ = ("_bodies", "_tenant_id", "size")

    def __init__(self, bodies: Bodies, tenant_id: UUID) -> None:
        self._bodies = bodies
        self._tenant_id = tenant_id
        self.size = 0

    def __enter__(self) -> "Held":
        return self

    def add(self, size: int) -> None:
        """Counts bytes that have come. Raises RateLimited or Unavailable when they are too many with the others'."""
        bodies = self._bodies
        of_tenant = bodies.bytes_of.get(self._tenant_id, 0) + size
        if of_tenant * 2 > bodies.most_bytes:
            raise RateLimited("The bodies of this tenant's requests are too large together.", retry_after=1)
        if bodies.bytes + size > bodies.most_bytes:
            raise Unavailable("Too many large requests are under way.", code="too_many_requests", retry_after=1)
        bodies.bytes_of[self._tenant_id] = of_tenant
        bodies.bytes += size
        self.size += size

    @contextmanager
    def in_pieces(self) -> Iterator[None]:
        """Around reading what is yet to come. Raises RateLimited when that is so for too many of the tenant's."""
        counts, tenant_id = self._bodies.in_pieces_of, self._tenant_id
        if counts.get(tenant_id, 0) >= self._bodies.most_in_pieces:
            raise RateLimited("Too many of this tenant's requests are still being sent.", retry_after=1)
        add(counts, tenant_id, 1)
        try:
            yield
        finally:
            add(counts, tenant_id, -1)

    def __exit__(self, *_: object) -> None:
        if self.size:
            self._bodies.bytes -= self.size
            add(self._bodies.bytes_of, self._tenant_id, -self.size)


def add(counts: dict[UUID, int], tenant_id: UUID, change: int) -> None:
    """Zeros are not kept."""
    count = counts.get(tenant_id, 0) + change
    if count:
        counts[tenant_id] = count
    else:
        del counts[tenant_id]
