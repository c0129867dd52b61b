"""How much more work than its callers asked for a tenant may make: for each process, in proportion to its traffic.

(The retry budget of Finagle and Envoy: a share of the requests, and a floor so that little traffic may retry too.)
"""

from collections import OrderedDict
from typing import Final

RETRY_PERCENT: Final = 10
FLOOR: Final = 10.0
MOST_SAVED: Final = 100.0
MOST_TENANTS: Final = 10_000


class Budget:
    """A tenant's purse: each request puts `percent` of a retry in, a retry takes one out."""

    def __init__(self, floor: float = FLOOR, most: float = MOST_SAVED) -> None:
        self._floor = floor
        self._most = most
        self._saved: OrderedDict[object, float] = OrderedDict()

    def earn(self, owner: object, percent: int = RETRY_PERCENT) -> None:
        saved = self._saved.get(owner)
        if saved is None:
            if len(self._saved) >= MOST_TENANTS:
                self._saved.popitem(last=False)
            saved = self._floor
        self._saved[owner] = min(self._most, saved + percent / 100)

    def take(self, owner: object) -> bool:
        saved = self._saved.get(owner, self._floor)
        if saved < 1:
            return False
        self._saved[owner] = saved - 1
        return True
