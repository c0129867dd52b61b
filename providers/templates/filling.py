"""From a template and what its form was filled with to a provider."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from common.errors import InvalidRequest
from providers.templates.document import API_KEY, PLACEHOLDER, Field, Template, replaced

# What may stand inside a URL without leading it elsewhere.
URL_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LONGEST_VALUE: Final = 8_000


class Filled(msgspec.Struct, frozen=True):
    """`values` are the fields of a Provider by name; `secret` is empty where none was given."""

    values: Mapping[str, Any]
    secret: str


def form_schema(template: Template) -> tuple[Field, ...]:
    """What to ask for, in the order to ask; `required` is false where there is a default."""
    return tuple(
        msgspec.structs.replace(field, required=field.required and not field.default) for field in template.fields
    )


def fill(template: Template, values: Mapping[str, object]) -> Filled:
    """Raises InvalidRequest naming what is missing, unknown or unfit, with `values.<name>` in `param`."""
    given = checked(template, values)
    headers = {
        name: replaced(text, given)
        for name, text in template.headers.items()
        if all(given.get(place) for place in PLACEHOLDER.findall(text))
    }
    shown = {**given, API_KEY: f"{{{{{API_KEY}}}}}"}
    return Filled(
        values={
            "template": template.name,
            "wire": template.wire,
            "base_url": replaced(template.base_url, given).rstrip("/"),
            "headers": headers,
            "credential_header": replaced(template.credential_header, shown),
            "quirks": replaced(template.quirks, given),
            "price_provider_id": template.price_provider,
            "default_model": template.default_model,
        },
        secret=given.get(API_KEY, ""),
    )


def checked(template: Template, values: Mapping[str, object]) -> dict[str, str]:
    known = {field.name: field for field in template.fields}
    if unknown := sorted(values.keys() - known.keys()):
        asked = f"It asks for {', '.join(known)}." if known else "It asks for nothing."
        raise unfit(unknown[0], f"The template '{template.name}' knows no {', '.join(unknown)}. {asked}")
    given = {name: text_of(name, values.get(name) or field.default) for name, field in known.items()}
    if missing := [name for name, field in known.items() if field.required and not given[name]]:
        raise unfit(missing[0], f"Missing: {', '.join(missing)}.")
    for name in PLACEHOLDER.findall(template.base_url):
        if known[name].kind != "url" and not URL_PART.fullmatch(given[name]):
            raise unfit(name, f"{name} stands inside a URL: use letters, digits, dots, hyphens and underscores.")
    return given


def text_of(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        raise unfit(name, f"{name}: expected a text of {LONGEST_VALUE} characters at most.")
    return value.strip()


def unfit(name: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, param=f"values.{name}")
