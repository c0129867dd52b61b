"""Who is next at one key: interactive before batch, tenants in turn, and a tenant's requests in their order.

Taking turns means: a tenant with one request waits for at most one of each other tenant's before it, however many
those have. Batch is never starved either: while any waits, every eighth turn is its.
"""

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.wishes import Priority

if TYPE_CHECKING:
    from gateway.load.places import Place

TURNS_BEFORE_BATCH: Final = 7


class Waiter:
    """One request that waits for a place, at any of several keys. `place` is the future that it waits for."""

    __slots__ = ("place", "priority", "tenant_id")

    def __init__(self, place: "asyncio.Future[Place]", tenant_id: UUID, priority: Priority) -> None:
        self.place = place
        self.tenant_id = tenant_id
        self.priority = priority


class Turns:
    """Requests of one class: the first tenant in `_tenants` is next, and goes to the end once it was served."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[UUID, OrderedDict[Waiter, None]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def of(self, tenant_id: UUID) -> int:
        return len(self._tenants.get(tenant_id, ()))

    def add(self, waiter: Waiter) -> None:
        self._tenants.setdefault(waiter.tenant_id, OrderedDict())[waiter] = None
        self.size += 1

    def discard(self, waiter: Waiter) -> None:
        mine = self._tenants.get(waiter.tenant_id)
        if mine is not None and waiter in mine:
            del mine[waiter]
            self.size -= 1
            if not mine:
                del self._tenants[waiter.tenant_id]

    def pop(self) -> Waiter:
        """Raises StopIteration where there is none."""
        tenant_id, mine = next(iter(self._tenants.items()))
        waiter, _ = mine.popitem(last=False)
        self.size -= 1
        if mine:
            self._tenants.move_to_end(tenant_id)
        else:
            del self._tenants[tenant_id]
        return waiter


class FairQueue:
    def __init__(self) -> None:
        self._classes: dict[Priority, Turns] = {"interactive": Turns(), "batch": Turns()}
        self._turns_of_interactive = 0

    def __len__(self) -> int:
        return self._classes["interactive"].size + self._classes["batch"].size

    def of_class(self, priority: Priority) -> int:
        return self._classes[priority].size

    def of_tenant(self, tenant_id: UUID) -> int:
        return sum(turns.of(tenant_id) for turns in self._classes.values())

    def add(self, waiter: Waiter) -> None:
        self._classes[waiter.priority].add(waiter)

    def discard(self, waiter: Waiter) -> None:
        self._classes[waiter.priority].discard(waiter)

    def pop(self) -> Waiter | None:
        """The next that still waits; None where nobody does."""
        while len(self):
            waiter = self._next_class().pop()
            if not waiter.place.done():
                self._count(waiter)
                return waiter
        return None

    def _next_class(self) -> Turns:
        interactive, batch = self._classes["interactive"], self._classes["batch"]
        if not batch.size:
            return interactive
        if not interactive.size or self._turns_of_interactive >= TURNS_BEFORE_BATCH:
            return batch
        return interactive

    def _count(self, served: Waiter) -> None:
        """Turns of interactive while batch waits."""
        passed_over = served.priority == "interactive" and self._classes["batch"].size > 0
        self._turns_of_interactive = self._turns_of_interactive + 1 if passed_over else 0
