"""Templates over the API, and providers made from them."""

import pytest

from providers.tests.callers import OWN_TEMPLATE, opened

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-never-to-be-seen-1234567890"


def test_templates_are_shown_as_forms(alice):
    status, found = alice("get", "providers/templates?limit=200")
    assert status == 200
    by_name = {each["name"]: each for each in found["data"]}
    assert {"openai", "anthropic", "gemini", "ollama"} <= by_name.keys()
    assert [field["name"] for field in by_name["openai"]["fields_to_fill"]][:1] == ["API_KEY"]
    assert by_name["openai"]["own"] is False
    assert alice("get", "providers/templates/openai") == (200, by_name["openai"])
    assert alice.refused("get", "providers/templates/nonsense")[0] == 404
    _, page = alice("get", "providers/templates?wire=gemini&limit=1")
    assert [each["wire"] for each in page["data"]] == ["gemini"]


def test_a_template_of_ones_own(alice):
    status, made = alice("post", "providers/templates", OWN_TEMPLATE)
    assert (status, made["own"], made["name"]) == (201, True, "in-house")
    assert [each["name"] for each in alice("get", "providers/templates?own=true")[1]["data"]] == ["in-house"]
    assert alice.refused("post", "providers/templates", OWN_TEMPLATE)[:2] == (409, "name")
    assert alice.refused("post", "providers/templates", OWN_TEMPLATE | {"name": "openai"})[:2] == (409, "name")
    assert alice("delete", "providers/templates/in-house") == (204, None)
    assert alice.refused("delete", "providers/templates/in-house")[0] == 404
    assert alice.refused("delete", "providers/templates/openai")[0] == 404


def test_a_provider_is_made_from_a_template(alice):
    alice("post", "providers/templates", OWN_TEMPLATE)
    body = {"template": "in-house", "name": "house", "values": {"API_KEY": SECRET}}
    status, provider = alice("post", "providers/from-template", body)
    assert (status, provider["template"], provider["base_url"]) == (201, "in-house", "https://eu.example.com/v1")
    assert [each["name"] for each in provider["models"]] == ["house-1"]
    assert SECRET not in str(provider)
    assert opened(alice.tenant, "default") == SECRET
    assert alice.refused("post", "providers/from-template", body)[:2] == (409, "name")


@pytest.mark.parametrize(
    ("wrong", "status", "named"),
    [({"template": "nonsense"}, 404, "template"), ({"name": "templates"}, 400, "name"), ({"name": "A"}, 400, "name"),
     ({"values": {}}, 400, "values.API_KEY"), ({"values": {"API_KEY": "x", "NO": "x"}}, 400, "values.NO"),
     ({"values": {"API_KEY": "x", "REGION": "a/b"}}, 400, "values.REGION"), ({"values": 5}, 400, "values"),
     ({"models": "x"}, 400, "models"), ({"nonsense": 1}, 400, "nonsense"), ({"template": None}, 400, "template")],
)  # fmt: skip
def test_a_form_that_is_filled_in_wrong(alice, wrong, status, named):
    alice("post", "providers/templates", OWN_TEMPLATE)
    body = {"template": "in-house", "name": "house", "values": {"API_KEY": "sk-1"}} | wrong
    assert alice.refused("post", "providers/from-template", body)[:2] == (status, named)
    assert alice("get", "providers")[1]["data"] == []


def test_a_template_cannot_lead_inside(alice):
    inside = OWN_TEMPLATE | {"base_url": "http://10.0.0.1/v1", "fields": [], "credential_header": ""}
    assert alice("post", "providers/templates", inside)[0] == 201
    body = {"template": "in-house", "name": "house"}
    assert alice.refused("post", "providers/from-template", body)[:2] == (400, "base_url")
