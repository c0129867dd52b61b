"""A record within bounds: names come from callers and codes from vendors, and either may be anything."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from billing.decisions.records import Decision
from billing.ledger.salvage import storable

LONGEST: Final = 200
MOST: Final = 100
LARGEST: Final = 2**31 - 1
DEEPEST: Final = 4


def fits(decision: Decision) -> bool:
    """Whether what others may have made long is short. Looks at lengths alone: it runs for every request."""
    if len(decision.requested_model) > LONGEST or len(decision.considered) > MOST or len(decision.tried) > MOST:
        return False
    for tried in decision.tried:
        if tried.error_code is not None and len(tried.error_code) > LONGEST:
            return False
    return decision.error_code is None or len(decision.error_code) <= LONGEST


def salvaged(decision: Decision) -> Decision:
    """The same record in texts, lists and numbers that PostgreSQL can hold."""
    cleaned: Decision = within_bounds(decision, DEEPEST)
    return cleaned


def within_bounds(value: Any, levels: int) -> Any:
    """The value; in texts, lists and mappings, to that many levels, what is too much is left out."""
    match value:
        case str():
            return storable(value)
        case int() if not isinstance(value, bool):
            return min(max(value, -LARGEST), LARGEST)
        case msgspec.Struct():
            return type(value)(
                **{name: within_bounds(getattr(value, name), levels) for name in value.__struct_fields__}
            )
        case Mapping():
            pairs = list(value.items())[: MOST if levels else 0]
            return {storable(str(name)): within_bounds(each, levels - 1) for name, each in pairs}
        case list() | tuple():
            return tuple(within_bounds(each, levels - 1) for each in value[: MOST if levels else 0])
    return value
