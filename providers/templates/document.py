"""A template as a JSON document.

    {
      "name": "acme", "title": "Acme AI", "docs": "https://docs.acme.test/api",
      "wire": "openai", "base_url": "https://{{REGION}}.acme.test/v1", "headers": {"x-team": "{{TEAM}}"},
      "credential_header": "x-key: {{API_KEY}}",
      "quirks": {"renamed": {"max_completion_tokens": "max_tokens"}, "unsupported": ["logit_bias"]},
      "fields": [
        {"name": "API_KEY", "title": "API key", "kind": "secret"},
        {"name": "REGION", "title": "Region", "default": "eu"},
        {"name": "TEAM", "title": "Team", "required": false}
      ],
      "price_provider": "", "models": ["acme-large"], "listed_models": "", "free": false
    }

Every placeholder is asked for by a field, and every field fills one. A secret is called API_KEY and stands in
`credential_header` alone, which may be left out where the wire's own way of showing it will do. A header whose
placeholder is left empty is not sent. `listed_models` is a regular expression over the models of `price_provider`'s
price list, offered beside `models`. With `free` the models cost nothing: a server of one's own. Unknown fields are
refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from django.core.exceptions import ValidationError

from providers.models.names import PROVIDER_NAME
from providers.models.provider import wire_names
from providers.quirks import quirks_of, wrong

API_KEY: Final = "API_KEY"
PLACEHOLDER: Final = re.compile(r"\{\{([A-Z][A-Z0-9_]{0,40})\}\}")
FIELD_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,40}")
MOST_FIELDS: Final = 30
MOST_MODELS: Final = 500
LONGEST_DOCUMENT: Final = 100_000


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a form asks for. An empty `default` is none; a field with one may be left out."""

    name: str
    title: str
    kind: Literal["text", "secret", "url"] = "text"
    required: bool = True
    default: str = ""
    help: str = ""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the head of this file. `quirks` is a document that `providers.quirks` reads, but for its placeholders."""

    name: str
    title: str
    wire: str
    base_url: str
    docs: str = ""
    headers: Mapping[str, str] = {}
    credential_header: str = ""
    quirks: Mapping[str, Any] = {}
    fields: tuple[Field, ...] = ()
    price_provider: str = ""
    models: tuple[str, ...] = ()
    default_model: str = ""
    listed_models: str = ""
    free: bool = False


def read_template(document: object) -> Template:
    """Raises InvalidRequest whose `param` is the place, such as `fields[1].kind`."""
    if not isinstance(document, dict):
        raise wrong("template", "expected an object")
    if len(msgspec.json.encode(document)) > LONGEST_DOCUMENT:
        raise wrong("template", f"expected {LONGEST_DOCUMENT} bytes at most")
    try:
        template = msgspec.convert(document, Template)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `$")
        raise wrong(path.rstrip("`").lstrip(".") or "template", fault[:1].lower() + fault[1:]) from None
    check_names(template)
    check_placeholders(template)
    check_secret(template)
    check_listed_models(template)
    # With nothing filled in, the rest has to be right already.
    quirks_of(replaced(template.quirks, {}))
    return template


def check_names(template: Template) -> None:
    try:
        PROVIDER_NAME(template.name)
    except ValidationError as refused:
        raise wrong("name", refused.messages[0].rstrip(".").lower()) from None
    if template.wire not in wire_names():
        raise wrong("wire", f"expected one of {', '.join(wire_names())}")
    if len(template.fields) > MOST_FIELDS or len(template.models) > MOST_MODELS:
        raise wrong("fields", f"expected {MOST_FIELDS} fields and {MOST_MODELS} models at most")
    seen: set[str] = set()
    for i, field in enumerate(template.fields):
        if not FIELD_NAME.fullmatch(field.name):
            raise wrong(f"fields[{i}].name", "expected capital letters, digits and underscores")
        if field.name in seen:
            raise wrong(f"fields[{i}].name", f"{field.name!r} is there twice")
        seen.add(field.name)


def check_placeholders(template: Template) -> None:
    """Each has a field, each field has one, and a whole URL is where a URL begins."""
    used = set(placeholders(template))
    known = {field.name for field in template.fields}
    if unknown := used - known:
        raise wrong("fields", f"nothing asks for {{{{{min(unknown)}}}}}")
    if idle := known - used - {API_KEY}:
        raise wrong("fields", f"{min(idle)} fills no placeholder")
    for i, field in enumerate(template.fields):
        inside = template.base_url.find("{{" + field.name + "}}")
        if field.kind == "url" and inside > 0:
            raise wrong(f"fields[{i}].kind", "a URL stands at the beginning of base_url")


def check_secret(template: Template) -> None:
    """The one place that is stored encrypted is the credential's."""
    for i, field in enumerate(template.fields):
        if (field.kind == "secret") != (field.name == API_KEY) or (field.kind == "secret" and field.default):
            raise wrong(f"fields[{i}]", f"a secret is called {API_KEY} and has no default")
    open_places = {**template.headers, "base_url": template.base_url, "quirks": template.quirks}
    if API_KEY in set(found_in(open_places)):
        raise wrong("credential_header", f"{{{{{API_KEY}}}}} stands here alone")


def check_listed_models(template: Template) -> None:
    if len(template.listed_models) > 500 or (template.listed_models and not template.price_provider):
        raise wrong("listed_models", "expected at most 500 characters, and a price_provider")
    try:
        re.compile(template.listed_models)
    except (re.error, OverflowError, RecursionError) as error:
        raise wrong("listed_models", f"this is no regular expression: {error}") from None


def placeholders(template: Template) -> Iterator[str]:
    yield from found_in([template.base_url, template.headers, template.credential_header, template.quirks])


def found_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from found_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from found_in(each)


def replaced(value: Any, values: Mapping[str, str]) -> Any:
    """A copy with every placeholder filled, in one pass: what fills one is not looked at again."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: values.get(found[1], ""), value)
    if isinstance(value, Mapping):
        return {name: replaced(each, values) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [replaced(each, values) for each in value]
    return value
