"""A configuration out and in again."""

import pytest

from providers.snapshots import load_tenant_catalogue
from providers.tests.callers import OWN_TEMPLATE, caller_of, opened
from tenants.actions.people import add_member
from tenants.actions.tenants import set_tenant_state
from tenants.tests.cast import new_person

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-never-to-be-seen-1234567890"
PASSPHRASE = "a long passphrase of mine"
VENDOR = {
    "name": "vendor",
    "base_url": "https://api.vendor.example/v1",
    "headers": {"x-team": "research"},
    "quirks": {"renamed": {"max_completion_tokens": "max_tokens"}},
    "secret": SECRET,
    "models": ["small", {"name": "large", "enabled": False, "price": {"input": "0.15", "output": "0.6"}}],
}


@pytest.fixture
def filled(alice):
    assert alice("post", "providers", VENDOR)[0] == 201
    spare = {"label": "spare", "secret": SECRET + "2", "position": 1, "enabled": False}
    assert alice("post", "providers/vendor/credentials", spare)[0] == 201
    assert alice("post", "providers/templates", OWN_TEMPLATE)[0] == 201
    route = {
        "name": "fast", "strategy": "latency", "drop_params": True,
        "targets": ["vendor/small", {"target": "openai/gpt", "weight": 3}],
        "policy": {"sticky": True, "canary": {"target": "vendor/large", "percent": 5}},
    }  # fmt: skip
    assert alice("post", "routes", route)[0] == 201
    return alice


@pytest.fixture
def owner(filled):
    person = new_person("alice")
    add_member(tenant=filled.tenant, user_id=person.id, role="owner")
    return caller_of(filled.tenant, created_by=person.id)


def exported(caller):
    status, document = caller("get", "config/export")
    assert status == 200
    return document


def same(document, other):
    return all(document[kind] == other[kind] for kind in ("providers", "routes", "templates"))


def test_an_export_holds_everything_but_secrets(filled):
    document = exported(filled)
    assert (document["object"], document["version"]) == ("config", 1)
    [provider] = document["providers"]
    assert (provider["quirks"], provider["headers"]) == (VENDOR["quirks"], VENDOR["headers"])
    assert [model["enabled"] for model in provider["models"]] == [False, True]
    assert provider["credentials"] == [
        {"label": "default", "enabled": True, "position": 0, "requests_per_minute": None},
        {"label": "spare", "enabled": False, "position": 1, "requests_per_minute": None},
    ]
    assert document["routes"] == [
        {
            "name": "fast", "strategy": "latency", "drop_params": True, "enabled": True,
            "targets": [{"target": "vendor/small"}, {"target": "openai/gpt", "weight": 3}],
            "policy": {"sticky": True, "canary": {"target": "vendor/large", "percent": 5}},
        }
    ]  # fmt: skip
    assert [template["name"] for template in document["templates"]] == ["in-house"]
    assert "secrets" not in document
    assert "never-to-be-seen" not in str(document)


def test_what_was_exported_is_imported_elsewhere_without_its_secrets(filled, charlie):
    document = exported(filled)
    status, taken = charlie("post", "config/import", {"config": document})
    assert (status, taken) == (
        200,
        {
            "object": "config.import",
            "dry_run": False,
            "created": ["templates/in-house", "providers/vendor", "routes/fast"],
            "changed": [],
            "unchanged": [],
            "missing_secrets": ["providers/vendor/credentials/default", "providers/vendor/credentials/spare"],
        },
    )
    imported = exported(charlie)
    assert imported["providers"][0]["credentials"] == []
    imported["providers"][0]["credentials"] = document["providers"][0]["credentials"]
    assert same(imported, document)
    assert set(load_tenant_catalogue(charlie.tenant).offers) == {"vendor/small"}


def test_a_document_from_before_routes_had_policies_is_imported(alice):
    route = {"name": "old", "strategy": "priority", "drop_params": False, "enabled": True, "targets": ["a/b", "c/d"]}
    status, taken = alice("post", "config/import", {"config": {"version": 1, "routes": [route]}})
    assert (status, taken["created"]) == (200, ["routes/old"])
    assert [each["target"] for each in alice("get", "routes/old")[1]["targets"]] == ["a/b", "c/d"]


def test_with_a_passphrase_the_secrets_come_along(filled, owner, charlie):
    status, document = owner("post", "config/export", {"passphrase": PASSPHRASE})
    assert status == 200
    assert "never-to-be-seen" not in str(document)
    status, taken = charlie("post", "config/import", {"config": document, "passphrase": PASSPHRASE})
    assert (status, taken["missing_secrets"]) == (200, [])
    assert same(exported(charlie), exported(filled))
    assert (opened(charlie.tenant, "default"), opened(charlie.tenant, "spare")) == (SECRET, SECRET + "2")


def test_the_same_again_changes_nothing(filled, owner):
    _, document = owner("post", "config/export", {"passphrase": PASSPHRASE})
    for body in ({"config": document}, {"config": document, "passphrase": PASSPHRASE}):
        status, taken = filled("post", "config/import", body)
        assert (status, taken["created"], taken["changed"], len(taken["unchanged"])) == (200, [], [], 3)
    assert same(exported(filled), document)


def changed(document):
    provider = document["providers"][0] | {"base_url": "https://b.example/v1", "models": ["small"]}
    return document | {
        "providers": [provider, {"name": "another", "base_url": "https://c.example/v1"}],
        "routes": [document["routes"][0] | {"targets": [{"target": "vendor/small"}], "policy": {}}],
        "templates": [document["templates"][0] | {"title": "Another"}],
    }


def test_conflicts_are_named_and_then_nothing_is_imported(filled):
    before = exported(filled)
    status, answer = filled("post", "config/import", {"config": changed(before)})
    assert (status, answer["error"]["param"]) == (409, "on_conflict")
    for path in ("providers/vendor", "routes/fast", "templates/in-house"):
        assert path in answer["error"]["message"]
    assert "another" not in answer["error"]["message"]
    assert same(exported(filled), before)


def test_a_dry_run_tells_them_and_changes_nothing(filled):
    before = exported(filled)
    for how in ("refuse", "replace"):
        body = {"config": changed(before), "dry_run": True, "on_conflict": how}
        status, taken = filled("post", "config/import", body)
        assert (status, taken["dry_run"], taken["created"]) == (200, True, ["providers/another"])
        assert taken["changed"] == ["templates/in-house", "providers/vendor", "routes/fast"]
    assert same(exported(filled), before)


def test_replacing(filled):
    wanted = changed(exported(filled))
    status, taken = filled("post", "config/import", {"config": wanted, "on_conflict": "replace"})
    assert (status, taken["created"]) == (200, ["providers/another"])
    after = exported(filled)
    assert [each["name"] for each in after["providers"]] == ["another", "vendor"]
    assert after["providers"][1]["base_url"] == "https://b.example/v1"
    assert [each["name"] for each in after["providers"][1]["models"]] == ["small"]
    assert (after["routes"], after["templates"]) == (wanted["routes"], wanted["templates"])
    assert opened(filled.tenant, "default") == SECRET


PROVIDER = {"name": "p", "base_url": "https://p.example/v1"}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"version": 2}, "config.version"), ({"version": None}, "config.version"), ({"nonsense": 1}, "config.nonsense"),
        ({"providers": {}}, "config.providers"), ({"providers": [5]}, "config.providers[0]"),
        ({"providers": [PROVIDER, {"name": "q"}]}, "config.providers[1].base_url"),
        ({"providers": [PROVIDER, PROVIDER]}, "config.providers[1].name"),
        ({"providers": [PROVIDER | {"name": "A"}]}, "config.providers[0].name"),
        ({"providers": [PROVIDER | {"name": "templates"}]}, "config.providers[0].name"),
        ({"providers": [PROVIDER | {"base_url": "http://10.0.0.1/v1"}]}, "config.providers[0].base_url"),
        ({"providers": [PROVIDER | {"secret": "x"}]}, "config.providers[0].secret"),
        ({"providers": [PROVIDER | {"models": [{"name": "a b"}]}]}, "config.providers[0].models[0].name"),
        ({"providers": [PROVIDER | {"models": [5]}]}, "config.providers[0].models[0]"),
        ({"providers": [PROVIDER | {"credentials": [{"secret": "x"}]}]}, "config.providers[0].credentials[0].secret"),
        ({"providers": [PROVIDER | {"credentials": [{"label": ""}]}]}, "config.providers[0].credentials[0].label"),
        ({"routes": [{"name": "r", "targets": []}]}, "config.routes[0].targets"),
        ({"routes": [{"name": "default", "targets": ["a/b"]}]}, "config.routes[0].name"),
        ({"routes": [{"name": "r", "targets": ["a"]}]}, "config.routes[0].targets[0]"),
        ({"routes": [{"name": "r", "targets": ["a/b"], "policy": {"x": 1}}]}, "config.routes[0].policy.x"),
        ({"routes": [{"name": "r", "targets": ["a/b"], "strategy": "luck"}]}, "config.routes[0].strategy"),
        ({"templates": [5]}, "config.templates[0]"), ({"templates": [{"name": "x"}]}, "config.templates[0].template"),
        ({"templates": [OWN_TEMPLATE | {"name": "openai"}]}, "config.templates[0].name"),
        ({"templates": [OWN_TEMPLATE | {"quirks": {"no": 1}}]}, "config.templates[0].quirks.no"),
        ({"secrets": {"method": "x"}}, "config.secrets.salt"), ({"secrets": 5}, "config.secrets"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_imported(alice, config, named):
    """Something that is right comes first, and is not there afterwards."""
    right = {"templates": [OWN_TEMPLATE], "providers": [PROVIDER | {"name": "right"}]}
    whole = {
        "version": 1,
        **{kind: right[kind] + config.get(kind, []) for kind in right if kind not in config},
        **config,
    }
    assert alice.refused("post", "config/import", {"config": whole})[:2] == (400, named)
    document = exported(alice)
    assert (document["providers"], document["routes"], document["templates"]) == ([], [], [])


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, "config"), ({"config": {}}, "config.version"),
     ({"config": {"version": 1}, "on_conflict": "x"}, "on_conflict"),
     ({"config": {"version": 1}, "dry_run": "x"}, "dry_run"), ({"config": 5}, "config"), ({"nonsense": 1}, "nonsense")],
)  # fmt: skip
def test_an_import_that_is_asked_for_wrong(alice, body, named):
    assert alice.refused("post", "config/import", body)[:2] == (400, named)


def test_another_passphrase_opens_nothing(filled, owner, charlie):
    _, document = owner("post", "config/export", {"passphrase": PASSPHRASE})
    body = {"config": document, "passphrase": PASSPHRASE + "!"}
    assert charlie.refused("post", "config/import", body)[:2] == (400, "passphrase")
    assert exported(charlie)["providers"] == []


@pytest.mark.parametrize("body", [{}, {"passphrase": "short"}, {"passphrase": 5}, {"passphrase": "x" * 1001}])
def test_a_passphrase_that_is_none(owner, body):
    assert owner.refused("post", "config/export", body)[:2] == (400, "passphrase")


def test_secrets_are_for_owners_alone(filled, owner):
    member = new_person("bob")
    add_member(tenant=filled.tenant, user_id=member.id, role="admin")
    stranger = new_person("charlie")
    for person in (None, member.id, stranger.id):
        caller = caller_of(filled.tenant, created_by=person)
        refusal = caller.refused("post", "config/export", {"passphrase": PASSPHRASE})
        assert refusal == (403, None, "owner_required")


def test_who_may(filled, charlie):
    document = exported(filled)
    assert exported(charlie)["providers"] == []
    writer, reader = caller_of(filled.tenant, "providers:write"), caller_of(filled.tenant, "providers:read")
    assert writer.refused("get", "config/export")[2] == "insufficient_scope"
    assert reader.refused("post", "config/export", {"passphrase": PASSPHRASE})[2] == "insufficient_scope"
    assert reader.refused("post", "config/import", {"config": document})[2] == "insufficient_scope"
    set_tenant_state(tenant=filled.tenant, state="read_only")
    assert filled.refused("post", "config/import", {"config": document})[2] == "tenant_read_only"
    assert filled("get", "config/export")[0] == 200
