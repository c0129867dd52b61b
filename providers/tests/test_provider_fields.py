"""What a provider is besides its address: quirks, how its secret is shown, who it is for and at what mark-up."""

import msgspec
import pytest

from common.errors import InvalidRequest
from common.ids import new_id
from providers.actions.catalogue import apply_catalogue
from providers.actions.credentials import change_credential, set_credential
from providers.actions.providers import change_provider, delete_provider
from providers.actions.routes import change_route, create_route
from providers.catalogue import Catalogue, resolve
from providers.catalogue_file import read_catalogue_file
from providers.models import Credential, Route
from providers.quirks import document_of, quirks_of
from providers.scope import owner_scope
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from providers.tests.test_actions import make, shown, version
from providers.wire.shapes import NO_QUIRKS, Quirks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


def target_of(owner, name="vendor/m1"):
    target, *_ = resolve(name, load_tenant_catalogue(owner), Catalogue()).targets
    return target


def test_quirks_and_the_form_of_the_secret_reach_the_target(acme):
    provider_id = make(acme)
    change_provider(
        owner=acme,
        provider_id=provider_id,
        credential_header="X-Key: Token {{API_KEY}}",
        quirks={"renamed": {"max_tokens": "max_completion_tokens"}, "paths": {"chat": "/chat"}},
    )
    target = target_of(acme)
    assert shown(target)["x-key"] == "Token sk-secret-1"
    assert "authorization" not in shown(target)
    assert target.quirks == Quirks(renamed={"max_tokens": "max_completion_tokens"}, paths={"chat": "/chat"})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("wire", "telepathy", "openai, anthropic, gemini, ollama, custom"),
        ("quirks", {"pathes": {}}, "quirks.pathes"),
        ("quirks", ["paths"], "expected an object"),
        ("quirks", {"paths": {"chats": "/x"}}, "quirks.paths.chats"),
        ("quirks", {"paths": {"chat": "no-slash"}}, "begins with /"),
        ("quirks", {"paths": {"chat": "/{secret}"}}, "no placeholder but {model}"),
        ("quirks", {"paths": {"chat": "//elsewhere.test/x"}}, "begins with /"),
        ("quirks", {"unsupported": "seed"}, "quirks.unsupported"),
        ("quirks", {"renamed": {"a": 1}}, "quirks.renamed"),
        ("quirks", {"unsupported": ["x"] * 101}, "100 entries"),
        ("quirks", {"request": "x" * 8_001}, "8000 characters"),
        ("credential_header", "api-key", "{{API_KEY}}"),
        ("credential_header", "bad name: {{API_KEY}}", "{{API_KEY}}"),
        ("credential_header", "api-key: {{API_KEY}}\r\nx: y", "{{API_KEY}}"),
        ("credential_header", "Content-Length: {{API_KEY}}", "set by the platform"),
        ("credential_header", "host: {{API_KEY}}", "set by the platform"),
        ("default_model", "two words", "without spaces"),
        ("health_interval_seconds", 9, "greater than or equal to 10"),
        ("mark_up_basis_points", 250, "platform's providers alone"),
        ("offered_to_plans", ["pro"], "platform's providers alone"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_told_why(acme, field, value, told):
    provider_id = make(acme)
    with pytest.raises(InvalidRequest) as refused:
        change_provider(owner=acme, provider_id=provider_id, **{field: value})
    assert refused.value.param == field
    assert told in refused.value.message


def test_quirks_are_read_and_written_the_same():
    quirks = Quirks(paths={"chat": "/v2/{model}/chat"}, unsupported=("seed",), stream_usage=False)
    assert quirks_of(document_of(quirks)) == quirks
    assert document_of(NO_QUIRKS) == {}


def test_the_credential_of_the_lowest_position_is_the_one_in_use(acme):
    provider_id = make(acme, secret="sk-older")
    newer = set_credential(owner=acme, provider_id=provider_id, label="newer", secret="sk-newer")
    assert shown(target_of(acme))["authorization"] == "Bearer sk-older"
    with owner_scope(acme):
        older = Credential.objects.get(label="default").id
    before = version(acme)
    change_credential(owner=acme, credential_id=older, position=1, requests_per_minute=60)
    assert shown(target_of(acme))["authorization"] == "Bearer sk-newer"
    assert version(acme) == before + 1
    change_credential(owner=acme, credential_id=newer, position=0)
    assert version(acme) == before + 1
    with pytest.raises(InvalidRequest, match="greater than or equal to 1"):
        change_credential(owner=acme, credential_id=older, requests_per_minute=0)


def test_a_route_that_drops_what_cannot_be_expressed_stays_so_until_it_is_told_otherwise(acme):
    make(acme)
    route = create_route(owner=acme, name="easy", targets=["vendor/m1"], drop_params=True)
    assert target_of(acme, "easy").drop_params
    change_route(owner=acme, route_id=route, name="easy", targets=["vendor/m1"], enabled=True)
    assert target_of(acme, "easy").drop_params
    change_route(owner=acme, route_id=route, name="easy", targets=["vendor/m1"], drop_params=False)
    assert not target_of(acme, "easy").drop_params
    with owner_scope(acme):
        assert Route.objects.count() == 1


def test_a_platform_provider_has_a_mark_up_and_plans_it_is_for():
    name = f"p-{new_id().hex[-12:]}"
    provider_id = make(None, name=name)
    with pytest.raises(InvalidRequest, match="list of names"):
        change_provider(owner=None, provider_id=provider_id, offered_to_plans="pro")
    change_provider(owner=None, provider_id=provider_id, mark_up_basis_points=250, offered_to_plans=["pro"])
    catalogue = load_platform_catalogue()
    delete_provider(owner=None, provider_id=provider_id)
    [target] = resolve(f"{name}/m1", Catalogue(), catalogue, plan="pro").targets
    assert target.mark_up_basis_points == 250
    assert f"{name}/m1" not in catalogue.for_plan("free").offers


def test_a_provider_may_limit_the_wait_for_first_words_and_the_calls_at_once(acme):
    provider_id = make(acme)
    assert (target_of(acme).deadlines.first_chunk, target_of(acme).most_at_once) == (None, None)
    change_provider(owner=acme, provider_id=provider_id, first_chunk_seconds=4.5, most_at_once=7)
    assert (target_of(acme).deadlines.first_chunk, target_of(acme).most_at_once) == (4.5, 7)
    with pytest.raises(InvalidRequest, match="greater than or equal to 1"):
        change_provider(owner=acme, provider_id=provider_id, most_at_once=0)


def test_a_catalogue_says_how_a_route_behaves_or_leaves_it_as_it_is(acme):
    route = {"name": "r", "targets": [{"target": "vendor/m1", "weight": 2}], "strategy": "cost"}
    provider = {"name": "vendor", "base_url": "http://127.0.0.1:9/v1", "most_at_once": 3, "models": ["m1"]}
    for said in ({"policy": {"retries": 0}}, {}):
        document = {"providers": [provider | {"deadlines": {"first_chunk": 2}}], "routes": [route | said]}
        file = read_catalogue_file(msgspec.json.encode(document))
        apply_catalogue(owner=acme, catalogue=file, environ={})
    entry = load_tenant_catalogue(acme).routes["r"]
    assert (entry.strategy, entry.policy.retries, entry.rules[0].weight) == ("cost", 0, 2)
    assert (target_of(acme, "r").deadlines.first_chunk, target_of(acme, "r").most_at_once) == (2, 3)
