"""Providers made from templates, and templates of a tenant's own, in real schemas."""

import pytest

from common.errors import Conflict, InvalidRequest, NotFound
from providers.actions.templates import MOST_TEMPLATES, create_from_template, create_template, delete_template
from providers.catalogue import Catalogue, resolve
from providers.models import OfferedModel, Provider
from providers.scope import owner_scope
from providers.snapshots import load_tenant_catalogue
from providers.templates.own import find_template, list_templates
from providers.tests.test_actions import shown
from providers.tests.test_templates import DOCUMENT, changed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


@pytest.fixture
def globex(make_tenant):
    return make_tenant("globex").tenant


def test_a_provider_made_from_a_template_can_be_called_at_once(acme):
    values = {"RESOURCE": "my-resource", "API_KEY": "azure-secret"}
    create_from_template(owner=acme, template="azure-openai", name="azure", values=values, models=["gpt-5.4"])
    [target] = resolve("azure/gpt-5.4", load_tenant_catalogue(acme), Catalogue()).targets
    assert target.base_url == "https://my-resource.openai.azure.com/openai/v1"
    assert shown(target) == {"content-type": "application/json", "api-key": "azure-secret"}
    assert target.price is not None
    assert target.quirks.renamed == {"max_tokens": "max_completion_tokens"}
    with owner_scope(acme):
        assert Provider.objects.get().template == "azure-openai"


def test_the_models_of_the_template_are_offered_unless_others_are_named(acme):
    create_from_template(owner=acme, template="groq", name="groq", values={"API_KEY": "k"})
    create_from_template(owner=acme, template="groq", name="groq-2", values={"API_KEY": "k"}, models=[])
    with owner_scope(acme):
        assert set(OfferedModel.objects.values_list("provider__name", flat=True)) == {"groq"}
        assert Provider.objects.get(name="groq").default_model in set(
            OfferedModel.objects.values_list("name", flat=True)
        )


def test_a_server_of_ones_own_costs_nothing(acme):
    create_from_template(owner=acme, template="vllm", name="vllm", values={}, models=["qwen3"])
    [target] = resolve("vllm/qwen3", load_tenant_catalogue(acme), Catalogue()).targets
    assert target.price is not None
    assert target.price.input[0].nano_per_mtok == 0
    assert "authorization" not in shown(target)


@pytest.mark.parametrize(
    ("template", "values", "param"),
    [
        ("openai", {}, "values.API_KEY"),
        ("openai", {"API_KEY": "two words"}, "values.API_KEY"),
        ("vllm", {"BASE_URL": "ftp://h"}, "base_url"),
        ("openai", {"API_KEY": "k", "ORG": "a\r\nb"}, "headers"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing_behind(acme, template, values, param):
    with pytest.raises(InvalidRequest) as refused:
        create_from_template(owner=acme, template=template, name="p", values=values)
    assert refused.value.param == param
    with owner_scope(acme):
        assert not Provider.objects.exists()


def test_a_template_of_a_tenants_own_is_used_like_any_other_and_is_not_anothers(acme, globex):
    create_template(owner=acme, document=DOCUMENT)
    create_from_template(owner=acme, template="acme", name="mine", values={"API_KEY": "sk-9", "REGION": "us"})
    [target] = resolve("mine/acme-large", load_tenant_catalogue(acme), Catalogue()).targets
    assert target.base_url == "https://us.acme.test/v1"
    assert shown(target)["x-key"] == "sk-9"
    assert [each.name for each in list_templates(owner=acme)][-1] == "acme"
    assert "acme" not in {each.name for each in list_templates(owner=globex)}
    with pytest.raises(NotFound):
        find_template(owner=globex, name="acme")


def test_a_template_takes_no_name_that_is_taken(acme):
    create_template(owner=acme, document=DOCUMENT)
    for document in (DOCUMENT, changed(name="openai")):
        with pytest.raises(Conflict) as refused:
            create_template(owner=acme, document=document)
        assert refused.value.param == "name"


@pytest.mark.parametrize("pattern", ["(a+)+b", "a{99999999999}", "(" * 240 + ")" * 240, "(" * 5000 + ")" * 5000])
def test_a_pattern_over_the_price_list_is_for_the_platforms_templates(acme, pattern):
    with pytest.raises(InvalidRequest) as refused:
        create_template(owner=acme, document=changed(price_provider="openai", listed_models=pattern))
    assert refused.value.param == "listed_models"


def test_a_template_that_is_deleted_leaves_its_providers(acme):
    create_template(owner=acme, document=DOCUMENT)
    create_from_template(owner=acme, template="acme", name="mine", values={"API_KEY": "k"})
    delete_template(owner=acme, name="acme")
    with owner_scope(acme):
        assert Provider.objects.get().name == "mine"
    for name in ("acme", "openai"):
        with pytest.raises(NotFound):
            delete_template(owner=acme, name=name)


def test_templates_are_not_without_number(acme):
    for number in range(MOST_TEMPLATES):
        create_template(owner=acme, document=changed(name=f"t{number}"))
    with pytest.raises(Conflict, match="100 templates"):
        create_template(owner=acme, document=changed(name="one-more"))
