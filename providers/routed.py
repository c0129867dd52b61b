"""What a route does to the names it takes and to the targets it leads to."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from providers.route_policy import DeadlineRule
from providers.wire.shapes import Deadlines, Target

ANYTHING: Final = "*"
# Of a provider, a slash, and a model: what could be neither is given no meaning by a pattern.
LONGEST_NAME: Final = 264
NO_DEADLINES: Final = DeadlineRule()


def pattern_of(name: str) -> Callable[[str], bool]:
    """What says whether a caller's name fits a route's, where "*" is any number of characters.

    Each part is looked for once, never again further on: a pattern cannot be made slow by the name it is held against.
    """
    first, *middle, last = map(re.escape, name.split(ANYTHING))
    parts = "".join(f"(?>[!-~]*?{each})" for each in middle)
    fits = re.compile(f"{first}{parts}[!-~]*{last}").fullmatch
    return lambda wanted: len(wanted) <= LONGEST_NAME and fits(wanted) is not None


def routed(target: Target, *, drop_params: bool, deadlines: DeadlineRule, parameters: Mapping[str, Any]) -> Target:
    """The target as a route has it: the same one where the route changes nothing."""
    if not drop_params and not parameters and deadlines == NO_DEADLINES:
        return target
    timed = (
        target if deadlines == NO_DEADLINES else hurried(target, deadlines, blamed=target.provider_scope == "tenant")
    )
    return msgspec.structs.replace(
        timed,
        drop_params=drop_params,
        parameters=tuple((name, msgspec.Raw(msgspec.json.encode(value))) for name, value in parameters.items()),
    )


def hurried(target: Target, rule: DeadlineRule, *, blamed: bool = False) -> Target:
    """The target under other deadlines; unless it is `blamed` all the same, shorter ones are not held against it."""
    deadlines = overridden(target.deadlines, rule)
    pairs = zip(msgspec.structs.astuple(deadlines), msgspec.structs.astuple(target.deadlines), strict=True)
    shorter = any(ours is not None and (own is None or ours < own) for ours, own in pairs)
    return msgspec.structs.replace(target, deadlines=deadlines, hurried=target.hurried or (shorter and not blamed))


def overridden(deadlines: Deadlines, rule: DeadlineRule) -> Deadlines:
    given = {
        "connect": rule.connect,
        "first_byte": rule.headers,
        "first_chunk": rule.first_chunk,
        "between_chunks": rule.between_chunks,
        "total": rule.total,
    }
    return msgspec.structs.replace(deadlines, **{name: value for name, value in given.items() if value is not None})
