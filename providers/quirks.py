"""A provider's differences from its wire, from the JSON that they are stored as."""

import re
from typing import Any, Final, get_args

import msgspec

from common.errors import InvalidRequest
from providers.wire.custom.expressions import ExpressionInvalid, expression
from providers.wire.shapes import NO_QUIRKS, Dialect, Quirks

# Endpoints beside the dialects that a server may have somewhere else.
ENDPOINTS: Final = (*get_args(Dialect), "models", "count_tokens")
PATH: Final = re.compile(r"(/[A-Za-z0-9._~:@!$&'()*+,;=%{}/-]*)?")
PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")
MOST_ENTRIES: Final = 100
LONGEST_TEXT: Final = 500
EXPRESSIONS: Final = ("request", "response", "stream_response")


def quirks_of(document: object) -> Quirks:
    """Raises InvalidRequest whose `param` is the place, such as `quirks.paths.chat`."""
    if document in ({}, None):
        return NO_QUIRKS
    if not isinstance(document, dict):
        raise wrong("quirks", "expected an object")
    unknown = document.keys() - set(Quirks.__struct_fields__)
    if unknown:
        known = ", ".join(Quirks.__struct_fields__)
        raise wrong(f"quirks.{min(unknown)}", f"there is no such quirk; there are {known}")
    try:
        quirks = msgspec.convert(document, Quirks)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `$")
        raise wrong("quirks" + path.rstrip("`"), fault[:1].lower() + fault[1:]) from None
    check_paths(quirks)
    check_sizes(quirks)
    check_expressions(quirks)
    return quirks


def document_of(quirks: Quirks) -> dict[str, Any]:
    """What `quirks_of` reads; what is as usual is left out."""
    usual = msgspec.to_builtins(NO_QUIRKS)
    return {name: value for name, value in msgspec.to_builtins(quirks).items() if value != usual[name]}


def check_paths(quirks: Quirks) -> None:
    for name, path in quirks.paths.items():
        place = f"quirks.paths.{name}"
        if name not in ENDPOINTS:
            raise wrong(place, f"there is no such endpoint; there are {', '.join(ENDPOINTS)}")
        if not PATH.fullmatch(path) or "//" in path or set(PLACEHOLDER.findall(path)) - {"{model}"}:
            raise wrong(place, "expected a path that begins with / and holds no placeholder but {model}")


def check_sizes(quirks: Quirks) -> None:
    for name in ("paths", "query", "renamed", "unsupported"):
        entries = getattr(quirks, name)
        pairs = entries.items() if isinstance(entries, dict) else ((entry, "") for entry in entries)
        if len(entries) > MOST_ENTRIES:
            raise wrong(f"quirks.{name}", f"expected {MOST_ENTRIES} entries at most")
        if any(not key or len(key) > LONGEST_TEXT or len(value) > LONGEST_TEXT for key, value in pairs):
            raise wrong(f"quirks.{name}", f"expected names and values of 1 to {LONGEST_TEXT} characters")


def check_expressions(quirks: Quirks) -> None:
    for name in EXPRESSIONS:
        if text := getattr(quirks, name):
            try:
                expression(text)
            except ExpressionInvalid as fault:
                raise wrong(f"quirks.{name}", str(fault).rstrip(".")) from None


def wrong(place: str, fault: str) -> InvalidRequest:
    return InvalidRequest(f"{place}: {fault}.", param=place)
