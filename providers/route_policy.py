"""What a route says, as values: whom it leads to, in which order, and what is done when something goes wrong.

They are what the API takes, what the database keeps as JSON, and what the gateway works with.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Strategy = Literal["priority", "weighted", "round_robin", "least_busy", "latency", "cost", "auto"]
MidStream = Literal["continue", "restart", "buffer", "error"]
Tier = Literal["simple", "medium", "complex", "reasoning"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Name = Annotated[str, Meta(min_length=1, max_length=265)]
"""A target: "provider/model"."""
Names = Annotated[tuple[Name, ...], Meta(max_length=20)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
"""Of five characters: a pattern's end lets a line's end follow."""
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Tag = Annotated[str, Meta(min_length=1, max_length=64)]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every part of a route's document: unknown fields are refused, defaults are not written."""


class Schedule(Rule, frozen=True, kw_only=True):
    """When something applies, on the clock of `time_zone`. No days are all days; an end before the start is the next
    day's."""

    days: tuple[Day, ...] = ()
    start: Clock = "00:00"
    end: Clock = "00:00"
    time_zone: str = "UTC"


class TargetRule(Rule, frozen=True, kw_only=True):
    """One target of a route.

    `model` "*" after the provider's name is the model's name as the caller gave it. `credential` is a label; without
    one all of the provider's credentials are used, in their order. `parameters` replace the caller's fields of these
    names. A target with `tags` is there for requests that carry one of them, one with a `schedule` while that holds.
    `tier` is the hardest question it is meant for, with the strategy "auto".
    """

    target: Name
    weight: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    credential: str = ""
    parameters: dict[str, Any] = {}
    tags: Annotated[tuple[Tag, ...], Meta(max_length=20)] = ()
    schedule: Schedule | None = None
    tier: Tier | None = None


class Canary(Rule, frozen=True, kw_only=True):
    """`percent` of the requests try this target first."""

    target: Name
    percent: Percent


class Shadow(Rule, frozen=True, kw_only=True):
    """`percent` of the requests are sent to this target as well. Its answers are recorded; no caller waits for them."""

    target: Name
    percent: Percent = 100


class Hedge(Rule, frozen=True, kw_only=True):
    """A second target is tried when the first is late: by `after_ms`, or without it by the p95 of its times to the
    first chunk. At most `percent` of the requests are hedged."""

    after_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None
    percent: Percent = 10


class CacheRule(Rule, frozen=True, kw_only=True):
    """Whole answers are kept, and given again to the very same request."""

    ttl_seconds: Annotated[int, Meta(ge=1, le=2_592_000)] = 300
    most_bytes: Annotated[int, Meta(ge=1, le=4_194_304)] = 262_144


class DeadlineRule(Rule, frozen=True, kw_only=True):
    """Seconds; what is left out stays as the provider's."""

    connect: Seconds | None = None
    headers: Seconds | None = None
    first_chunk: Seconds | None = None
    between_chunks: Seconds | None = None
    total: Seconds | None = None


class Fallbacks(Rule, frozen=True, kw_only=True):
    """Targets that are tried after the route's own, by what kept those from answering; `any` follows the others."""

    any: Names = ()
    context_too_long: Names = ()
    content_refused: Names = ()
    rate_limited: Names = ()
    budget: Names = ()


class RoutePolicy(Rule, frozen=True, kw_only=True):
    """How a route behaves.

    `mid_stream`: what is done about an answer that breaks off or stalls after its first byte. `sticky` keeps the
    requests of one session at one target while it is healthy. `retries` are of the same target, when no other is left.
    `queue_seconds` is how long to wait for a place at busy targets. An answer slower than `slowest_tokens_per_second`
    counts as stalled. `dial` is for the strategy "auto": 0 is cheapest, 100 is best.
    """

    mid_stream: MidStream = "continue"
    sticky: bool = False
    retries: Annotated[int, Meta(ge=0, le=5)] = 2
    queue_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0
    slowest_tokens_per_second: Annotated[float, Meta(gt=0, le=1_000)] | None = None
    dial: Percent = 50
    canary: Canary | None = None
    shadow: Shadow | None = None
    hedge: Hedge | None = None
    cache: CacheRule | None = None
    deadlines: DeadlineRule = DeadlineRule()
    fallbacks: Fallbacks = Fallbacks()
