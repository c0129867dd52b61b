"""A page of a list: which, how many, after whom. Unknown parameters are refused, since a filter that is misspelled
would show too much."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from common.errors import InvalidRequest

DEFAULT_LIMIT: Final = 50
MOST: Final = 200
LONGEST_NUMBER: Final = 9

PAGE: Final = [
    OpenApiParameter("limit", int, description=f"Most entries in an answer, 1 to {MOST}; {DEFAULT_LIMIT} without it."),
    OpenApiParameter("after", str, description="The name of the last entry seen."),
]


def parameters(query: Mapping[str, str], known: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """`known`: the filters by name, with what reads each. The answer has `limit` and `after` too.

    Raises InvalidRequest naming the parameter.
    """
    readers = {"limit": limit, "after": text, **known}
    if unknown := sorted(query.keys() - readers.keys()):
        raise InvalidRequest(f"There is no such parameter; there are {', '.join(readers)}.", param=unknown[0])
    found = {"limit": DEFAULT_LIMIT, "after": ""}
    for name, value in query.items():
        try:
            found[name] = readers[name](value)
        except ValueError as error:
            raise InvalidRequest(f"{error}", param=name) from None
    return found


def limit(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER and 1 <= int(value) <= MOST):
        raise ValueError(f"Use a whole number from 1 to {MOST}.")
    return int(value)


def text(value: str) -> str:
    if "\0" in value or len(value) > 200:
        raise ValueError("Use at most 200 characters.")
    return value


def flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("Use true or false.")
    return value == "true"
