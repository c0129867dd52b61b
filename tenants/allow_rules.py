"""Which models and routes may be asked for, by lists of patterns: "*" stands for anything, the rest for itself.

A pattern meets the name of a route, "provider/model" or a bare model, in their own case. A list without patterns
restricts nothing. Lists of a plan, a role, a user's teams and a key hold together: each must let a name through.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from common.errors import InvalidRequest

MOST_PATTERNS: Final = 200
LONGEST_PATTERN: Final = 265
MOST_KNOWN: Final = 1_000
MOST_SHOWN: Final = 20
ANYTHING: Final = "*"

ALLOWED_HELP: Final = "Patterns of models and routes, such as openai/*; empty for all."

Patterns = tuple[str, ...]
NOTHING: Final[tuple[Patterns, ...]] = ((),)


class AnyOf:
    """Patterns made ready, of which one must match: most are a name, or begin or end in their only star."""

    __slots__ = ("_heads", "_names", "_others", "_tails")

    def __init__(self, patterns: Patterns) -> None:
        self._names = {pattern for pattern in patterns if ANYTHING not in pattern}
        single = [pattern for pattern in patterns if pattern.count(ANYTHING) == 1]
        self._heads = tuple(pattern[:-1] for pattern in single if pattern.endswith(ANYTHING))
        self._tails = tuple(pattern[1:] for pattern in single if pattern.startswith(ANYTHING))
        plain = {*self._names, *(f"{head}*" for head in self._heads), *(f"*{tail}" for tail in self._tails)}
        self._others = [pattern.split(ANYTHING) for pattern in patterns if pattern not in plain]

    def matches(self, name: str) -> bool:
        return (
            name in self._names
            or name.startswith(self._heads)
            or name.endswith(self._tails)
            or any(fits(parts, name) for parts in self._others)
        )


def fits(parts: Sequence[str], name: str) -> bool:
    """Whether anything between the parts makes the name: in time that grows with the lengths alone, since each part is
    looked for once."""
    first, *inner, last = parts
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in inner:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class AllowRule:
    """Lists of patterns, every one of which must match; without lists everything is allowed.

    A list here that has no pattern matches nothing. What was found out about a name is kept with the rule, which never
    changes: the next change of a list comes with another rule.
    """

    __slots__ = ("_known", "_ready", "lists")

    def __init__(self, lists: Iterable[Patterns] = ()) -> None:
        self.lists: Final = tuple(lists)
        self._ready: tuple[AnyOf, ...] | None = None
        self._known: dict[tuple[str, ...], bool] = {}

    def allows(self, *names: str) -> bool:
        """Whether each list matches one of the names, which all mean the same."""
        if not self.lists:
            return True
        known = self._known.get(names)
        if known is not None:
            return known
        if self._ready is None:
            self._ready = tuple(map(AnyOf, self.lists))
        allowed = all(any(map(each.matches, names)) for each in self._ready)
        if len(self._known) < MOST_KNOWN and all(len(name) <= LONGEST_PATTERN for name in names):
            self._known[names] = allowed
        return allowed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllowRule) and self.lists == other.lists

    def __hash__(self) -> int:
        return hash(self.lists)

    def __repr__(self) -> str:
        return f"AllowRule({self.lists!r})"

    def __str__(self) -> str:
        """The patterns, for a refusal: "openai/*, fast; and of these: gpt-*"."""
        return "; and of these: ".join(map(shown, self.lists)) or "everything"


EVERYTHING: Final = AllowRule()


def shown(patterns: Patterns) -> str:
    more = len(patterns) - MOST_SHOWN
    return (", ".join(patterns[:MOST_SHOWN]) or "nothing") + (f" and {more} more" if more > 0 else "")


def checked_patterns(patterns: object, param: str = "allowed_models") -> list[str]:
    """The patterns as they are kept: each once, without blanks around it. Raises InvalidRequest naming the field."""
    if not isinstance(patterns, list | tuple | set | frozenset):
        raise InvalidRequest("Use a list of patterns.", param=param)
    given = list(patterns)
    if len(given) > MOST_PATTERNS:
        raise InvalidRequest(f"There are {len(given)} patterns; a list has at most {MOST_PATTERNS}.", param=param)
    return list(dict.fromkeys(checked_pattern(each, f"{param}[{index}]") for index, each in enumerate(given)))


def checked_pattern(pattern: object, param: str) -> str:
    stripped = pattern.strip() if isinstance(pattern, str) else ""
    if not 1 <= len(stripped) <= LONGEST_PATTERN or not stripped.isprintable():
        raise InvalidRequest(
            f"Use a pattern of 1 to {LONGEST_PATTERN} printable characters, such as openai/*.", param=param
        )
    return stripped


def any_of(lists: Collection[Patterns]) -> Patterns:
    """One list that allows what any of them does: one that restricts nothing leaves nothing restricted."""
    return () if not all(lists) else tuple(dict.fromkeys(pattern for each in lists for pattern in each))
