"""What a caller may ask for beside the completion itself, by request headers.

x-orchestrator-deadlines   first_chunk=5, between_chunks=10, total=60: seconds; also connect and headers
x-orchestrator-session     a name; requests of one session stay at one target where the route is sticky
x-orchestrator-tags        words that a route's targets may ask for, separated by commas
x-orchestrator-priority    interactive (the default) or batch
x-orchestrator-details     true: provider, cost and attempts are told as well (`gateway.edge.details`)
cache-control              no-store: neither looked up nor kept; no-cache or max-age=0: not looked up
"""

import math
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from common.errors import InvalidRequest
from providers.route_policy import DeadlineRule

Priority = Literal["interactive", "batch"]

DEADLINES: Final = b"x-orchestrator-deadlines"
SESSION: Final = b"x-orchestrator-session"
TAGS: Final = b"x-orchestrator-tags"
PRIORITY: Final = b"x-orchestrator-priority"
DETAILS: Final = b"x-orchestrator-details"
CACHE_CONTROL: Final = b"cache-control"
KNOWN: Final = (DEADLINES, SESSION, TAGS, PRIORITY, DETAILS, CACHE_CONTROL)
LONGEST: Final = 1_000


class Wishes(msgspec.Struct, frozen=True):
    """`look_up` and `keep`: whether the cache of answers may be asked, and may keep this one."""

    deadlines: DeadlineRule | None = None
    session: str = ""
    tags: frozenset[str] = frozenset()
    priority: Priority = "interactive"
    details: bool = False
    look_up: bool = True
    keep: bool = True


NONE: Final = Wishes()


def wishes_of(headers: Mapping[bytes, bytes]) -> Wishes:
    """Raises InvalidRequest naming the header."""
    if not any(name in headers for name in KNOWN):
        return NONE
    said = {name: text_of(name, headers) for name in KNOWN}
    directives = {word.strip().lower() for word in said[CACHE_CONTROL].split(",")}
    return Wishes(
        deadlines=deadlines_of(said[DEADLINES]) if said[DEADLINES] else None,
        session=said[SESSION],
        tags=frozenset(tag.strip() for tag in said[TAGS].split(",") if tag.strip()),
        priority=priority_of(said[PRIORITY]),
        details=said[DETAILS].strip().lower() == "true",
        look_up=not directives & {"no-store", "no-cache", "max-age=0"},
        keep="no-store" not in directives,
    )


def text_of(name: bytes, headers: Mapping[bytes, bytes]) -> str:
    value = headers.get(name, b"")
    if len(value) > LONGEST:
        raise refused(name, f"is longer than {LONGEST} bytes")
    return value.decode("latin-1")


def priority_of(text: str) -> Priority:
    match text.strip().lower():
        case "" | "interactive":
            return "interactive"
        case "batch":
            return "batch"
    raise refused(PRIORITY, "is interactive or batch")


def deadlines_of(text: str) -> DeadlineRule:
    named: dict[str, float] = {}
    for pair in text.split(","):
        name, _, seconds = pair.partition("=")
        try:
            named[name.strip().replace("-", "_")] = finite(seconds)
        except ValueError:
            raise refused(DEADLINES, "is a list of name=seconds") from None
    try:
        return msgspec.convert(named, DeadlineRule)
    except msgspec.ValidationError as error:
        raise refused(DEADLINES, f"has names of {', '.join(DeadlineRule.__struct_fields__)}: {error}") from None


def finite(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


def refused(name: bytes, rule: str) -> InvalidRequest:
    return InvalidRequest(f"The header {name.decode()} {rule}.", param=name.decode())
