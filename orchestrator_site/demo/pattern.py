"""A string that a regular expression matches: the first choice everywhere, the fewest repeats allowed."""

import re
from collections.abc import Callable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

CLASSES = {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_WORD: "a", codes.CATEGORY_SPACE: " "}
PRINTABLE = "a0 -_.AZ~!@#"


def matching(pattern: str) -> str:
    """Raises ValueError where the pattern uses what this small generator does not know."""
    try:
        text = "".join(map(one, parser.parse(pattern)))
    except (re.error, KeyError, StopIteration) as error:
        raise ValueError(f"no example for the pattern {pattern!r}") from error
    if not re.search(pattern, text):
        raise ValueError(f"no example for the pattern {pattern!r}")
    return text


def one(element: tuple[Any, Any]) -> str:
    """KeyError for an element not in the table."""
    code, argument = element
    return WRITERS[code](argument)


def repeat(argument: tuple[int, int, Any]) -> str:
    fewest, most, body = argument
    # One is a better example than none where both are allowed.
    return "".join(map(one, body)) * (fewest or min(1, most))


def member(choices: list[tuple[Any, Any]]) -> str:
    code, argument = choices[0]
    if code is codes.NEGATE:
        return next(letter for letter in PRINTABLE if not any(holds(choice, letter) for choice in choices[1:]))
    if code is codes.RANGE:
        return chr(argument[0])
    return one(choices[0])


def holds(choice: tuple[Any, Any], letter: str) -> bool:
    code, argument = choice
    if code is codes.RANGE:
        return bool(argument[0] <= ord(letter) <= argument[1])
    if code is codes.CATEGORY:
        return {
            codes.CATEGORY_DIGIT: letter.isdigit(),
            codes.CATEGORY_WORD: letter.isalnum() or letter == "_",
            codes.CATEGORY_SPACE: letter.isspace(),
        }.get(argument, True)
    return bool(argument == ord(letter))


WRITERS: dict[Any, Callable[[Any], str]] = {
    codes.LITERAL: chr,
    codes.ANY: lambda _: "a",
    codes.AT: lambda _: "",
    codes.NOT_LITERAL: lambda code: next(letter for letter in PRINTABLE if ord(letter) != code),
    codes.CATEGORY: lambda category: CLASSES[category],
    codes.IN: member,
    codes.MAX_REPEAT: repeat,
    codes.MIN_REPEAT: repeat,
    codes.SUBPATTERN: lambda argument: "".join(map(one, argument[3])),
    codes.BRANCH: lambda argument: "".join(map(one, argument[1][0])),
}
