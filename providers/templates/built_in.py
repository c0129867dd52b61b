"""The templates that come with the platform: one file a vendor in `vendors/`."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from providers.price_list import find_model, listed_provider
from providers.templates.document import Template, read_template

FOLDER = Path(__file__).with_name("vendors")


@cache
def built_in_templates() -> Mapping[str, Template]:
    """By name, in the order of their files."""
    found = [read_template(msgspec.json.decode(path.read_bytes())) for path in sorted(FOLDER.glob("*.json"))]
    return {template.name: template for template in found}


def default_models(template: Template) -> tuple[str, ...]:
    """The ids that are offered unless others are named: the template's own, and those of the price list."""
    pattern = re.compile(template.listed_models)
    listed = sorted(
        model.id
        for model in (listed_provider(template.price_provider).models if template.listed_models else ())
        if model.rates and pattern.fullmatch(model.id)
    )
    return tuple(dict.fromkeys((*template.models, *listed)))


def context_window(template: Template, model: str) -> int | None:
    listed = find_model(template.price_provider, model) if template.price_provider else None
    return None if listed is None else listed.context_window
