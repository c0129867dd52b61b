"""Templates as values: those that come with the platform, and what any of them is held to."""

import copy
import json
import re
from pathlib import Path

import pytest

from common.errors import InvalidRequest
from providers.models.provider import check_base_url, check_credential_header, check_headers
from providers.price_list import find_model
from providers.quirks import quirks_of
from providers.templates.built_in import FOLDER, built_in_templates, default_models
from providers.templates.document import API_KEY, read_template
from providers.templates.filling import fill, form_schema
from providers.wire.custom.expressions import expression
from providers.wire_names import BUILT_IN_WIRES

DOCUMENTED = Path(__file__).parents[2] / "docs" / "providers.md"
VENDORS = built_in_templates().values()
FITTING = {"text": "eu-west", "url": "https://models.example.com/v1", "secret": "sk-secret"}
KEY = {"name": "API_KEY", "title": "API key", "kind": "secret"}
REGION = {"name": "REGION", "title": "Region", "default": "eu"}
TEAM = {"name": "TEAM", "title": "Team", "required": False}
DOCUMENT = {
    "name": "acme",
    "title": "Acme AI",
    "wire": "openai",
    "base_url": "https://{{REGION}}.acme.test/v1",
    "headers": {"x-team": "{{TEAM}}", "x-version": "2"},
    "credential_header": "x-key: {{API_KEY}}",
    "quirks": {"query": {"region": "{{REGION}}"}, "unsupported": ["logit_bias"]},
    "fields": [KEY, REGION, TEAM],
    "models": ["acme-large"],
}


def test_every_vendor_that_is_promised_has_a_template_in_a_file_of_its_name():
    assert set(built_in_templates()) == {
        *("openai", "azure-openai", "anthropic", "gemini", "mistral", "groq", "deepseek", "together", "fireworks"),
        *("xai", "meta", "openrouter", "ollama", "vllm", "lm-studio", "llama-cpp", "openai-compatible", "custom"),
    }
    assert {path.stem for path in FOLDER.iterdir()} == set(built_in_templates())


@pytest.mark.parametrize("template", VENDORS, ids=lambda template: template.name)
def test_a_built_in_template_makes_a_provider_that_is_valid(template):
    filled = fill(template, {field.name: field.default or FITTING[field.kind] for field in template.fields})
    check_base_url(filled.values["base_url"])
    check_headers(filled.values["headers"])
    check_credential_header(filled.values["credential_header"])
    if template.name != "custom":
        quirks_of(filled.values["quirks"])
    assert template.wire in BUILT_IN_WIRES
    assert template.docs.startswith("https://")
    assert filled.secret == "sk-secret"
    assert "sk-secret" not in str(filled.values)


@pytest.mark.parametrize(
    "template", [each for each in VENDORS if each.price_provider], ids=lambda template: template.name
)
def test_every_model_that_a_vendor_is_offered_with_has_a_listed_price(template):
    models = default_models(template)
    unpriced = [name for name in models if not ((listed := find_model(template.price_provider, name)) and listed.rates)]
    assert unpriced == []
    assert template.default_model in models or not models


@pytest.mark.parametrize("template", VENDORS, ids=lambda template: template.name)
def test_what_a_template_says_of_fields_is_about_fields_that_exist(template):
    quirks = quirks_of(dict(template.quirks)) if template.name != "custom" else None
    if quirks is not None:
        assert not set(quirks.unsupported) & {*quirks.renamed, "messages", "model", "stream"}
        assert all(re.fullmatch(r"[a-z_]+", name) for name in (*quirks.unsupported, *quirks.renamed))


def test_a_form_asks_for_what_is_needed_and_knows_what_is_usual():
    asked = {field.name: (field.kind, field.required, field.default) for field in form_schema(read_template(DOCUMENT))}
    assert asked == {
        "API_KEY": ("secret", True, ""),
        "REGION": ("text", False, "eu"),
        "TEAM": ("text", False, ""),
    }


def test_placeholders_are_filled_and_a_header_without_its_value_is_not_sent():
    filled = fill(read_template(DOCUMENT), {"API_KEY": " sk-1 "})
    assert filled.values["base_url"] == "https://eu.acme.test/v1"
    assert filled.values["headers"] == {"x-version": "2"}
    assert filled.values["credential_header"] == "x-key: {{API_KEY}}"
    assert filled.values["quirks"] == {"query": {"region": "eu"}, "unsupported": ["logit_bias"]}
    assert filled.secret == "sk-1"
    assert fill(read_template(DOCUMENT), {"API_KEY": "k", "TEAM": "r"}).values["headers"]["x-team"] == "r"


def test_what_fills_a_placeholder_is_not_filled_again():
    filled = fill(read_template(DOCUMENT), {"API_KEY": "sk-1", "TEAM": "{{API_KEY}}"})
    assert filled.values["headers"]["x-team"] == "{{API_KEY}}"


@pytest.mark.parametrize(
    ("values", "param", "told"),
    [
        ({}, "values.API_KEY", "Missing: API_KEY."),
        ({"API_KEY": "k", "SHADE": "x", "COLOUR": "y"}, "values.COLOUR", "knows no COLOUR, SHADE"),
        ({"API_KEY": 7}, "values.API_KEY", "expected a text"),
        ({"API_KEY": "k", "REGION": "evil.test/#"}, "values.REGION", "inside a URL"),
        ({"API_KEY": "k", "REGION": "a@evil"}, "values.REGION", "inside a URL"),
        ({"API_KEY": "k" * 8001}, "values.API_KEY", "8000 characters"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(values, param, told):
    with pytest.raises(InvalidRequest) as refused:
        fill(read_template(DOCUMENT), values)
    assert refused.value.param == param
    assert told in refused.value.message


def changed(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "template"),
        (changed(colour="red"), "template"),
        ({"name": "acme"}, "template"),
        (changed(name="Acme"), "name"),
        (changed(models="m"), "models"),
        (changed(wire="telepathy"), "wire"),
        (changed(fields=[KEY, REGION, TEAM, {"name": "REGION", "title": "again"}]), "fields[3].name"),
        (changed(fields=[KEY, REGION, TEAM, {"name": "region", "title": "small"}]), "fields[3].name"),
        (changed(fields=[KEY, REGION, TEAM, {"name": "IDLE", "title": "fills nothing"}]), "fields"),
        (changed(fields=[KEY, REGION]), "fields"),
        (changed(fields=[KEY, REGION, {"name": "TEAM", "title": "t", "kind": "colour"}]), "fields[2].kind"),
        (changed(fields=[KEY, REGION, {"name": "TEAM", "title": "t", "kind": "secret"}]), "fields[2]"),
        (changed(headers={"x-team": "{{TEAM}}", "x-open": "{{API_KEY}}"}), "credential_header"),
        (changed(base_url="https://{{REGION}}.acme.test/{{API_KEY}}"), "credential_header"),
        (changed(quirks={"query": {"region": "{{REGION}}", "key": "{{API_KEY}}"}}), "credential_header"),
        (changed(quirks={"query": {"region": "{{REGION}}"}, "speed": 1}), "quirks.speed"),
        (changed(listed_models="("), "listed_models"),
        (changed(title="x" * 100_001), "template"),
        (changed(fields=[KEY, {"name": "REGION", "title": "r", "kind": "url"}, TEAM]), "fields[1].kind"),
    ],
)
def test_a_document_that_is_no_template_is_refused_with_the_place(document, place):
    with pytest.raises(InvalidRequest) as refused:
        read_template(document)
    assert refused.value.param == place


def test_a_secret_has_no_place_but_the_credential():
    assert all(field.name == API_KEY for each in VENDORS for field in each.fields if field.kind == "secret")


def test_the_template_that_the_documentation_shows_is_one():
    [example] = re.findall(r"```json\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    template = read_template(json.loads(example))
    quirks = quirks_of(fill(template, {"API_KEY": "k"}).values["quirks"])
    assert expression(quirks.response).apply({"reply": {"text": "Hi"}, "stop": "END", "meter": {}})["text"] == "Hi"
    assert expression(quirks.stream_response).apply({"stop": "FULL"})["finish_reason"] == "length"
