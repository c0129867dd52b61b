"""What the control plane takes for a JSON body: one that PostgreSQL can keep and whose reading cannot exhaust us."""

import json
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from common.errors import PayloadTooLarge

LARGEST_BODY: Final = 4 * 1024 * 1024
DEEPEST: Final = 40


class BoundedJSONParser(JSONParser):
    """Raises PayloadTooLarge and ParseError; RFC 8259 leaves the limits to us (section 9)."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise PayloadTooLarge(f"The body is larger than {LARGEST_BODY} bytes.")
        try:
            found = json.loads(body, parse_constant=refuse_constant)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
        check_text(found, DEEPEST)
        return found


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def check_text(value: object, depth: int) -> None:
    """Neither NUL nor half a surrogate pair, which JSON can write and no database keep."""
    if depth == 0:
        raise ParseError("The JSON is nested too deeply.")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ParseError("A text holds a NUL character or half of a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_text(name, depth - 1)
            check_text(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            check_text(inner, depth - 1)
