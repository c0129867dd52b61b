"""Actions against real schemas: what they change, whose it is, and that the version rises."""

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from common.crypto import SecretUnreadable
from common.errors import Conflict, InvalidRequest, NotFound
from common.ids import new_id
from providers import scope
from providers.actions.credentials import enable_credential, set_credential
from providers.actions.models import ModelOffer, change_model, offer_models, withdraw_model
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.actions.routes import change_route, create_route, delete_route
from providers.catalogue import Catalogue, resolve
from providers.models import Credential, OfferedModel, Provider, RouteTarget
from providers.scope import owner_scope, secret_place
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants.door import NestedDoor, platform_scope
from tenants.snapshots import load_identity, versions_of

pytestmark = pytest.mark.django_db(transaction=True)

RATED = ModelOffer(name="m1", input_nano_per_mtok=150_000_000, output_nano_per_mtok=600_000_000)


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


@pytest.fixture
def globex(make_tenant):
    return make_tenant("globex").tenant


def make(owner, name="vendor", secret="sk-secret-1", offers=(RATED,)):
    provider_id = create_provider(owner=owner, name=name, base_url="http://127.0.0.1:9/v1/", headers={"X-Team": "r"})
    if secret:
        set_credential(owner=owner, provider_id=provider_id, secret=secret)
    offer_models(owner=owner, provider_id=provider_id, offers=offers)
    return provider_id


def version(tenant) -> int:
    return load_identity(tenant.id).version


def shown(target) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in target.headers}


def test_a_tenants_provider_becomes_a_target_that_holds_all_a_call_needs(acme):
    make(acme)
    [target] = resolve("vendor/m1", load_tenant_catalogue(acme), Catalogue()).targets
    assert (target.provider, target.model, target.provider_scope) == ("vendor", "m1", "tenant")
    assert target.base_url == "http://127.0.0.1:9/v1"
    assert shown(target) == {
        "content-type": "application/json",
        "x-team": "r",
        "authorization": "Bearer sk-secret-1",
    }
    assert target.price is not None
    assert target.price.version.startswith("override/")
    assert target.price.version.endswith("/1")
    assert "sk-secret" not in repr(target)


def test_a_tenants_catalogue_is_not_anothers_and_not_the_platforms(acme, globex):
    make(acme, name="only-acmes")
    assert load_tenant_catalogue(globex) == Catalogue()
    assert "only-acmes" not in load_platform_catalogue().providers
    with owner_scope(globex):
        assert not Provider.objects.exists()


def test_a_tenants_role_cannot_read_the_platforms_providers(acme):
    with (
        owner_scope(acme),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT secret FROM public.providers_credential")


def test_a_ciphertext_copied_into_another_tenants_row_opens_nothing(acme, globex, caplog):
    make(acme)
    make(globex)
    with owner_scope(acme):
        stolen = bytes(Credential.objects.get().secret)
    with owner_scope(globex):
        row = Credential.objects.get()
        Credential.objects.update(secret=stolen)
    with pytest.raises(SecretUnreadable):
        scope.keyring().decrypt(stolen, place=secret_place(globex, row.id))
    [target] = resolve("vendor/m1", load_tenant_catalogue(globex), Catalogue()).targets
    assert "authorization" not in shown(target)
    assert "credential unreadable" in caplog.text
    assert "sk-secret" not in caplog.text


def test_the_secret_is_not_in_the_database(acme):
    make(acme, secret="sk-plainly-visible")
    with owner_scope(acme):
        assert b"visible" not in bytes(Credential.objects.get().secret)


@pytest.mark.parametrize("secret", ["", "two words", "sk-\n", "clé", "x" * 9000])
def test_a_secret_that_fits_no_header_is_refused_without_being_quoted(acme, secret):
    provider_id = make(acme, secret=None)
    with pytest.raises(InvalidRequest) as refusal:
        set_credential(owner=acme, provider_id=provider_id, secret=secret)
    assert refusal.value.param == "secret"
    assert not secret or secret not in refusal.value.message


def test_each_change_raises_the_owners_version_and_nothing_else(acme, globex):
    before, others = version(acme), version(globex)
    provider_id = make(acme)
    after = version(acme)
    assert after > before
    route_id = create_route(owner=acme, name="fast", targets=["vendor/m1"])
    assert version(acme) == after + 1

    change_provider(owner=acme, provider_id=provider_id, enabled=True)
    set_credential(owner=acme, provider_id=provider_id, secret="sk-secret-1")
    offer_models(owner=acme, provider_id=provider_id, offers=[RATED])
    change_route(owner=acme, route_id=route_id, name="fast", targets=["vendor/m1"])
    assert version(acme) == after + 1, "saying the same again changes nothing"

    set_credential(owner=acme, provider_id=provider_id, secret="sk-secret-2")
    change_provider(owner=acme, provider_id=provider_id, enabled=False)
    delete_route(owner=acme, route_id=route_id)
    delete_provider(owner=acme, provider_id=provider_id)
    assert version(acme) == after + 5
    assert version(globex) == others


def test_the_platforms_changes_raise_the_platforms_version():
    before = versions_of([]).platform
    name = f"p-{new_id().hex[-12:]}"
    provider_id = make(None, name=name)
    assert versions_of([]).platform > before
    catalogue = load_platform_catalogue()
    assert resolve(f"{name}/m1", Catalogue(), catalogue).targets[0].provider_scope == "platform"
    delete_provider(owner=None, provider_id=provider_id)
    assert name not in load_platform_catalogue().providers


def test_a_changed_rate_is_a_new_revision_and_a_changed_name_is_not(acme):
    provider_id = make(acme)

    def price_version() -> str:
        price = load_tenant_catalogue(acme).offers["vendor/m1"].target.price
        assert price is not None
        return price.version

    first = price_version()
    renamed = ModelOffer(name="m1", display_name="M", input_nano_per_mtok=150_000_000, output_nano_per_mtok=600_000_000)
    offer_models(owner=acme, provider_id=provider_id, offers=[renamed])
    assert price_version() == first
    dearer = ModelOffer(name="m1", input_nano_per_mtok=160_000_000, output_nano_per_mtok=600_000_000)
    offer_models(owner=acme, provider_id=provider_id, offers=[dearer])
    assert price_version() == first.removesuffix("/1") + "/2"


def test_a_price_is_whole_or_not_there(acme):
    provider_id = make(acme, offers=())
    with pytest.raises(InvalidRequest) as refusal:
        offer_models(owner=acme, provider_id=provider_id, offers=[ModelOffer(name="m", input_nano_per_mtok=1)])
    assert refusal.value.param == "output_nano_per_mtok"
    offer_models(owner=acme, provider_id=provider_id, offers=[ModelOffer(name="m")])
    assert load_tenant_catalogue(acme).offers["vendor/m"].target.price is None


def test_without_override_the_price_list_applies(acme):
    provider_id = make(acme, offers=[ModelOffer(name="gpt-4o-mini")])
    change_provider(owner=acme, provider_id=provider_id, price_provider_id="openai")
    price = load_tenant_catalogue(acme).offers["vendor/gpt-4o-mini"].target.price
    assert price is not None
    assert price.version.startswith("genai-prices/")
    assert price.input[0].nano_per_mtok == 150_000_000


def test_what_is_switched_off_is_not_offered(acme):
    provider_id = make(acme, offers=[RATED, ModelOffer(name="m2", enabled=False)])
    assert list(load_tenant_catalogue(acme).offers) == ["vendor/m1"]
    with owner_scope(acme):
        credential_id = Credential.objects.get().id
    enable_credential(owner=acme, credential_id=credential_id, enabled=False)
    assert "authorization" not in shown(load_tenant_catalogue(acme).offers["vendor/m1"].target)
    change_provider(owner=acme, provider_id=provider_id, enabled=False)
    catalogue = load_tenant_catalogue(acme)
    assert not catalogue.offers
    assert catalogue.providers == {"vendor"}


def test_each_enabled_credential_is_a_target_the_oldest_first(acme):
    provider_id = make(acme, secret="sk-old")
    set_credential(owner=acme, provider_id=provider_id, secret="sk-new", label="second")
    old, new = load_tenant_catalogue(acme).offers["vendor/m1"].targets
    assert [shown(target)["authorization"] for target in (old, new)] == ["Bearer sk-old", "Bearer sk-new"]
    assert (old.credential, new.credential) == ("default", "second")
    assert old.key == f"t:{acme.id.hex}/vendor/m1#default"
    with owner_scope(acme):
        assert old.credential_id == Credential.objects.get(label="default").id
    enable_credential(owner=acme, credential_id=old.credential_id, enabled=False)
    [left] = load_tenant_catalogue(acme).offers["vendor/m1"].targets
    assert (left.credential_id, left.key) == (new.credential_id, new.key)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"base_url": "ftp://h/v1"}, "base_url"),
        ({"base_url": "http://user:pw@h/v1"}, "base_url"),
        ({"base_url": "http://h/v1?key=1"}, "base_url"),
        ({"base_url": "nonsense"}, "base_url"),
        ({"wire": "morse"}, "wire"),
        ({"headers": {"authorization": "Bearer x"}}, "headers"),
        ({"headers": {"x": "a\r\nb: c"}}, "headers"),
        ({"headers": {"x y": "a"}}, "headers"),
        ({"connect_seconds": 0}, "connect_seconds"),
    ],
)
def test_a_wrong_provider_is_refused_by_its_field(acme, fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        create_provider(owner=acme, **{"name": "ok", "base_url": "http://h:8000/v1", **fields})
    assert refusal.value.param == param


def test_names_are_unique_within_an_owner(acme, globex):
    make(acme)
    make(globex)
    with owner_scope(acme):
        with pytest.raises(Conflict) as refusal:
            create_provider(owner=acme, name="vendor", base_url="http://h/v1")
        assert refusal.value.param == "name"
        create_provider(owner=acme, name="other", base_url="http://h/v1")
    assert load_tenant_catalogue(acme).providers == {"vendor", "other"}, "a refusal leaves the caller's work"


def test_a_model_takes_no_name_that_another_of_its_provider_has(acme):
    make(acme, offers=[RATED, ModelOffer(name="m2")])
    with owner_scope(acme):
        model_id = OfferedModel.objects.get(name="m2").id
    with pytest.raises(Conflict) as refusal:
        change_model(owner=acme, model_id=model_id, offer=RATED)
    assert refusal.value.param == "name"
    withdraw_model(owner=acme, model_id=model_id)
    with pytest.raises(NotFound):
        withdraw_model(owner=acme, model_id=model_id)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": "default"}, "name"),
        ({"name": "two words"}, "name"),
        ({"targets": []}, "targets"),
        ({"targets": ["vendor/m1", "vendor/m1"]}, "targets[1]"),
        ({"targets": ["no-slash"]}, "targets[0]"),
        ({"targets": ["vendor/m1", "/m"]}, "targets[1]"),
    ],
)
def test_a_wrong_route_is_refused_and_leaves_nothing(acme, fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        create_route(owner=acme, **{"name": "r", "targets": ["vendor/m1"], **fields})
    assert refusal.value.param == param
    assert not load_tenant_catalogue(acme).routes


def test_a_routes_targets_are_replaced_in_order(acme):
    make(acme, offers=[RATED, ModelOffer(name="m2")])
    route_id = create_route(owner=acme, name="fast", targets=["vendor/m1", "vendor/m2"])
    change_route(owner=acme, route_id=route_id, name="faster", targets=["vendor/m2", "vendor/m1"])
    targets = resolve("faster", load_tenant_catalogue(acme), Catalogue()).targets
    assert [target.model for target in targets] == ["m2", "m1"]
    with owner_scope(acme):
        assert RouteTarget.objects.count() == 2


def test_an_action_on_what_is_not_there_or_anothers_says_so(acme, globex):
    theirs = make(globex)
    for provider_id in (new_id(), theirs):
        with pytest.raises(NotFound):
            change_provider(owner=acme, provider_id=provider_id, enabled=False)
        with pytest.raises(NotFound):
            delete_provider(owner=acme, provider_id=provider_id)
        with pytest.raises(NotFound):
            set_credential(owner=acme, provider_id=provider_id, secret="x")
    assert load_tenant_catalogue(globex).offers


def test_actions_share_the_scope_that_their_caller_opened(acme, globex):
    class Change(Exception):
        pass

    def change_and_fail():
        with owner_scope(acme):
            make(acme)
            assert OfferedModel.objects.count() == 1
            raise Change

    with pytest.raises(Change):
        change_and_fail()
    assert load_tenant_catalogue(acme) == Catalogue(), "one transaction: undone together"

    with owner_scope(acme), pytest.raises(NestedDoor):
        make(globex)
    with platform_scope(), pytest.raises(NestedDoor):
        make(acme)


def test_a_provider_shares_its_headers_among_its_models(acme):
    make(acme, offers=[ModelOffer(name=f"m{i}") for i in range(20)])
    targets = [offer.target for offer in load_tenant_catalogue(acme).offers.values()]
    assert len(targets) == 20
    assert len({id(target.headers) for target in targets}) == 1
