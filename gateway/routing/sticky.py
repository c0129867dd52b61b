"""One session, one target: by rendezvous hashing, which needs no memory and moves few sessions when targets change.

(Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998; the weights are Schindelhauer's.)
"""

import hashlib
import math
from collections.abc import Sequence

from gateway.routing.strategies import Group


def in_order_of(session: str, groups: Sequence[Group]) -> list[Group]:
    """The session's own target first; those after it take its place in turn while it is not healthy."""
    return sorted(groups, key=lambda group: -standing(session, group))


def standing(session: str, group: Group) -> float:
    share = share_of(f"{group[0].target.name}\n{session}")
    return -group[0].weight / math.log(share)


def share_of(text: str) -> float:
    """A number between 0 and 1, neither included, that is always the same for the text."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / (2**64 + 2)
