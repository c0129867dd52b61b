"""/v1/providers as its callers see it: Alice of Acme, and Charlie who must see nothing of hers."""

import pytest

from providers.snapshots import load_tenant_catalogue
from providers.tests.callers import OWN_TEMPLATE, caller_of, opened
from tenants.actions.tenants import set_tenant_state

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-never-to-be-seen-1234567890"
VENDOR = {
    "name": "vendor",
    "base_url": "https://api.vendor.example/v1",
    "headers": {"x-team": "research"},
    "secret": SECRET,
    "models": ["small", {"name": "large", "context_window": 1000, "price": {"input": "0.15", "output": 0.6}}],
}


@pytest.fixture
def made(alice):
    status, provider = alice("post", "providers", VENDOR)
    assert status == 201, provider
    return provider


def test_a_provider_is_made_and_offers_what_it_was_given(alice, made):
    assert made | {"created_at": "", "updated_at": "", "credentials": []} == {
        "object": "provider",
        "name": "vendor",
        "template": "",
        "wire": "openai",
        "base_url": "https://api.vendor.example/v1",
        "headers": {"x-team": "research"},
        "credential_header": "",
        "quirks": {},
        "price_provider_id": "",
        "default_model": "",
        "health_interval_seconds": 60,
        "connect_seconds": 5.0,
        "first_byte_seconds": 60.0,
        "first_chunk_seconds": None,
        "between_chunks_seconds": 60.0,
        "total_seconds": 1800.0,
        "most_at_once": None,
        "enabled": True,
        "models": [
            {
                "name": "large",
                "display_name": "",
                "context_window": 1000,
                "capabilities": [],
                "enabled": True,
                "price": {"input": "0.15", "output": "0.6", "request": "0"},
            },
            {
                "name": "small",
                "display_name": "",
                "context_window": None,
                "capabilities": [],
                "enabled": True,
                "price": None,
            },
        ],
        "credentials": [],
        "created_at": "",
        "updated_at": "",
    }
    assert [each["label"] for each in made["credentials"]] == ["default"]
    assert set(load_tenant_catalogue(alice.tenant).offers) == {"vendor/large", "vendor/small"}
    assert alice("get", "providers/vendor") == (200, made)


def test_a_name_that_is_taken_is_409_and_changes_nothing(alice, made):
    again = VENDOR | {"base_url": "https://other.example/v1"}
    assert alice.refused("post", "providers", again) == (409, "name", "conflict")
    assert alice("get", "providers/vendor") == (200, made)


def test_a_provider_that_cannot_be_made_whole_is_not_made(alice):
    assert alice.refused("post", "providers", VENDOR | {"secret": "two words"})[:2] == (400, "secret")
    assert alice("get", "providers/vendor")[0] == 404


def test_an_answer_may_be_changed_and_sent_back_any_number_of_times(alice, made):
    for _ in range(2):
        status, changed = alice("put", "providers/vendor", made | {"headers": {}, "total_seconds": 20})
        assert status == 200
        assert changed | {"updated_at": ""} == made | {"headers": {}, "total_seconds": 20.0, "updated_at": ""}


def test_writing_anew_forgets_what_is_left_out_but_for_models_and_secrets(alice, made):
    status, changed = alice("put", "providers/vendor", {"base_url": "https://b.example/v1"})
    assert (status, changed["headers"], changed["base_url"]) == (200, {}, "https://b.example/v1")
    assert (changed["models"], changed["credentials"]) == (made["models"], made["credentials"])


def test_changing_a_part_leaves_the_rest(alice, made):
    status, changed = alice("patch", "providers/vendor", {"enabled": False})
    assert (status, changed | {"updated_at": ""}) == (200, made | {"enabled": False, "updated_at": ""})
    assert load_tenant_catalogue(alice.tenant).offers == {}


def test_models_that_are_given_are_all_there_are(alice, made):
    _, changed = alice("patch", "providers/vendor", {"models": [{"name": "large", "display_name": "Large"}, "new"]})
    assert [each["name"] for each in changed["models"]] == ["large", "new"]
    assert changed["models"][0]["price"] is None
    assert alice("patch", "providers/vendor", {"models": []})[1]["models"] == []


def test_a_provider_keeps_its_name(alice, made):
    assert alice.refused("patch", "providers/vendor", {"name": "other"})[:2] == (400, "name")


def test_removing(alice, made):
    assert alice("delete", "providers/vendor") == (204, None)
    assert alice.refused("delete", "providers/vendor")[0] == 404
    assert alice("get", "providers")[1]["data"] == []


def test_secrets_are_in_no_answer(alice, made):
    _, added = alice("post", "providers/vendor/credentials", {"label": "second", "secret": SECRET + "2"})
    answers = [
        made, added, alice("get", "providers"), alice("get", "providers/vendor"),
        alice("get", "providers/vendor/credentials"),
        alice("patch", "providers/vendor", {"secret": SECRET + "3"}),
        alice("patch", f"providers/vendor/credentials/{added['id']}", {"secret": SECRET + "4"}),
        alice("patch", f"providers/vendor/credentials/{added['id']}", {"secret": SECRET + " x"}),
        alice("get", "config/export"),
    ]  # fmt: skip
    assert not [answer for answer in answers if "never-to-be-seen" in str(answer)]


# Lists.


def test_lists_are_in_pages_in_the_order_of_names(alice):
    for name in ("c", "a", "b"):
        alice("post", "providers", {"name": name, "base_url": "https://x.example/v1"})
    status, first = alice("get", "providers?limit=2")
    assert (status, [each["name"] for each in first["data"]], first["has_more"]) == (200, ["a", "b"], True)
    _, second = alice("get", "providers?limit=2&after=b")
    assert ([each["name"] for each in second["data"]], second["has_more"]) == (["c"], False)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["off", "on"]),
        ("enabled=true", ["on"]),
        ("enabled=false", ["off"]),
        ("wire=openai", ["off", "on"]),
        ("wire=gemini", []),
        ("template=none", []),
        ("q=of", ["off"]),
        ("q=o&enabled=true", ["on"]),
    ],
)
def test_filters(alice, query, names):
    for name, enabled in (("on", True), ("off", False)):
        alice("post", "providers", {"name": name, "base_url": "https://x.example/v1", "enabled": enabled})
    status, found = alice("get", f"providers?{query}")
    assert (status, [each["name"] for each in found["data"]]) == (200, names)


@pytest.mark.parametrize(
    ("query", "named"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("limit=201", "limit"), ("limit=9999999999999", "limit"),
     ("limit=000000005" + "9" * 40, "limit"),
     ("enabled=yes", "enabled"), ("wires=openai", "wires"), ("after=" + "x" * 201, "after")],
)  # fmt: skip
def test_a_query_that_is_wrong_is_named(alice, query, named):
    assert alice.refused("get", f"providers?{query}")[:2] == (400, named)


@pytest.mark.parametrize(
    "headers",
    [{"X-Goog-Api-Key": "s"}, {f"h{i}": "x" for i in range(51)}, {f"h{i}": "x" * 4_000 for i in range(5)}],
)
def test_headers_hold_no_secret_and_no_library(alice, headers):
    body = {"name": "p", "base_url": "https://x.example/v1", "headers": headers}
    assert alice.refused("post", "providers", body)[:2] == (400, "headers")


# Bodies.

WRONG = [
    ({"name": ""}, "name"), ({"name": "Capitals"}, "name"), ({"name": "a/b"}, "name"), ({"name": "x" * 64}, "name"),
    ({"name": None}, "name"), ({"name": ["a"]}, "name"), ({"name": "templates"}, "name"),
    ({"name": "from-template"}, "name"), ({"base_url": "ftp://x"}, "base_url"), ({"base_url": "nonsense"}, "base_url"),
    ({"base_url": "https://user:pw@x.example"}, "base_url"), ({"base_url": "http://10.0.0.1/v1"}, "base_url"),
    ({"base_url": "http://169.254.169.254/latest"}, "base_url"), ({"base_url": "http://0x7f000001/v1"}, "base_url"),
    ({"base_url": "http://[::ffff:10.0.0.1]/"}, "base_url"), ({"base_url": "https://x/" + "y" * 600}, "base_url"),
    ({"wire": "smoke-signals"}, "wire"), ({"wire": 5 * "x" * 20}, "wire"), ({"headers": []}, "headers"),
    ({"headers": {"authorization": "Bearer x"}}, "headers"), ({"headers": {"x": "a\r\nb"}}, "headers"),
    ({"headers": {"x": {}}}, "headers.x"), ({"quirks": {"nonsense": 1}}, "quirks"), ({"quirks": 5}, "quirks"),
    ({"connect_seconds": 0}, "connect_seconds"), ({"connect_seconds": 1e300}, "connect_seconds"),
    ({"total_seconds": "soon"}, "total_seconds"), ({"enabled": "perhaps"}, "enabled"),
    ({"health_interval_seconds": 1}, "health_interval_seconds"),
    ({"health_interval_seconds": 10**30}, "health_interval_seconds"),
    ({"credential_header": "no place"}, "credential_header"), ({"default_model": "a b"}, "default_model"),
    ({"models": {}}, "models"), ({"models": [5]}, "models[0]"), ({"models": ["a", "a"]}, "models[1].name"),
    ({"models": ["a b"]}, "models[0].name"), ({"models": [{"name": "a", "price": {"input": 1}}]}, "models[0].price"),
    ({"models": [{"name": "a", "price": {"input": "-1", "output": "1"}}]}, "models[0].price.input"),
    ({"models": [{"name": "a", "context_window": 10**12}]}, "models[0].context_window"),
    ({"models": [{"name": "a", "context_window": -1}]}, "models[0].context_window"),
    ({"models": [{"name": "a", "nonsense": 1}]}, "models[0]"), ({"secret": ""}, "secret"), ({"secret": "ü"}, "secret"),
    ({"secret": None}, "secret"), ({"credentials": []}, "credentials"), ({"owner": "x"}, "owner"),
    ({"mark_up_basis_points": 5}, "mark_up_basis_points"), ({"id": "x"}, "id"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "named"), WRONG)
def test_a_field_that_is_wrong_is_named(alice, wrong, named):
    assert alice.refused("post", "providers", VENDOR | wrong)[:2] == (400, named)
    assert alice("get", "providers")[1]["data"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b"null", b'{"name": "\\u0000"}', b"[" * 50_000])
def test_a_body_that_is_no_object_is_400(alice, made, body):
    for method, path in (
        ("post", "providers"), ("put", "providers/vendor"), ("patch", "providers/vendor"),
        ("post", "providers/vendor/credentials"), ("post", "providers/from-template"), ("post", "providers/templates"),
    ):  # fmt: skip
        if body == b"" and method == "patch":
            continue
        assert alice.refused(method, path, body)[0] == 400, (method, path)


def test_a_field_that_is_missing_is_named(alice):
    assert alice.refused("post", "providers", {"name": "a"})[:2] == (400, "base_url")
    assert alice.refused("post", "providers", {"base_url": "https://x.example"})[:2] == (400, "name")


# Credentials.


def test_credentials_are_added_changed_and_removed(alice, made):
    path = "providers/vendor/credentials"
    status, added = alice("post", path, {"label": "spare", "secret": "sk-2", "position": 3, "requests_per_minute": 60})
    assert status == 201
    assert added | {"id": "", "created_at": "", "updated_at": ""} == {
        "object": "provider.credential", "id": "", "label": "spare", "enabled": True, "position": 3,
        "requests_per_minute": 60, "created_at": "", "updated_at": "",
    }  # fmt: skip
    assert [each["label"] for each in alice("get", path)[1]["data"]] == ["default", "spare"]
    status, changed = alice("patch", f"{path}/{added['id']}", {"enabled": False, "requests_per_minute": None})
    assert (status, changed["enabled"], changed["requests_per_minute"], changed["position"]) == (200, False, None, 3)
    status, changed = alice("patch", f"{path}/{added['id']}", {"secret": "sk-3", "label": "third"})
    assert (status, changed["enabled"], changed["label"]) == (200, False, "third")
    assert opened(alice.tenant, "third") == "sk-3"
    assert alice("delete", f"{path}/{added['id']}") == (204, None)
    assert alice.refused("delete", f"{path}/{added['id']}")[0] == 404


def test_a_label_that_is_taken_is_409_and_the_secret_stays(alice, made):
    assert alice.refused("post", "providers/vendor/credentials", {"secret": "sk-2"}) == (409, "label", "conflict")
    assert opened(alice.tenant, "default") == SECRET
    _, other = alice("post", "providers/vendor/credentials", {"label": "other", "secret": "sk-2"})
    path = f"providers/vendor/credentials/{other['id']}"
    assert alice.refused("patch", path, {"label": "default"})[:2] == (409, "label")


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, "secret"), ({"secret": "a b"}, "secret"), ({"secret": "x", "label": ""}, "label"),
     ({"secret": "x", "label": "y" * 64}, "label"), ({"secret": "x", "position": -1}, "position"),
     ({"secret": "x", "position": 10**9}, "position"),
     ({"secret": "x", "requests_per_minute": 0}, "requests_per_minute"),
     ({"secret": "x", "nonsense": 1}, "nonsense"), ({"secret": "x" * 8001}, "secret")],
)  # fmt: skip
def test_a_credential_that_is_wrong_is_not_added(alice, made, body, named):
    body = {"label": "new", **body}
    assert alice.refused("post", "providers/vendor/credentials", body)[:2] == (400, named)
    assert len(alice("get", "providers/vendor/credentials")[1]["data"]) == 1


# Who may.


def every_endpoint(credential_id):
    credential = f"providers/vendor/credentials/{credential_id}"
    return [
        ("get", "providers", None, "providers:read"),
        ("post", "providers", VENDOR | {"name": "new"}, "providers:write"),
        ("get", "providers/vendor", None, "providers:read"),
        ("put", "providers/vendor", {"base_url": "https://b.example/v1"}, "providers:write"),
        ("patch", "providers/vendor", {"enabled": False}, "providers:write"),
        ("get", "providers/vendor/credentials", None, "providers:read"),
        ("post", "providers/vendor/credentials", {"label": "x", "secret": "y"}, "providers:write"),
        ("patch", credential, {"enabled": False}, "providers:write"),
        ("delete", credential, None, "providers:write"),
        ("delete", "providers/vendor", None, "providers:write"),
        ("get", "providers/templates", None, "providers:read"),
        ("get", "providers/templates/in-house", None, "providers:read"),
        ("post", "providers/templates", OWN_TEMPLATE | {"name": "second"}, "providers:write"),
        ("delete", "providers/templates/in-house", None, "providers:write"),
        ("post", "providers/from-template", {"template": "in-house", "name": "n"}, "providers:write"),
    ]


@pytest.fixture
def endpoints(alice, made):
    alice("post", "providers/templates", OWN_TEMPLATE)
    return every_endpoint(made["credentials"][0]["id"])


def test_charlie_sees_nothing_of_alices(alice, charlie, endpoints, made):
    for method, path, body, _ in endpoints:
        status, answer = charlie(method, path, body)
        if path == "providers" and method == "get":
            assert (status, answer["data"]) == (200, [])
        elif path == "providers/templates" and method == "get":
            assert "in-house" not in [each["name"] for each in answer["data"]]
        elif path in ("providers", "providers/templates"):
            assert status == 201
        else:
            assert status == 404, (method, path)
    assert alice("get", "providers/vendor") == (200, made)
    assert opened(alice.tenant, "default") == SECRET
    assert alice("get", "providers/templates/in-house")[0] == 200


def test_a_key_without_the_scope_is_403(alice, endpoints):
    strangers = {
        "providers:read": caller_of(alice.tenant, "providers:write", "models:read"),
        "providers:write": caller_of(alice.tenant, "providers:read", "completions:write"),
    }
    for method, path, body, scope in endpoints:
        assert strangers[scope].refused(method, path, body) == (403, None, "insufficient_scope"), (method, path)


def test_without_a_key_401(alice, endpoints):
    nobody = type(alice)(alice.tenant, "")
    for method, path, body, _ in endpoints:
        assert nobody.refused(method, path, body)[0] == 401


def test_a_tenant_that_is_read_only_may_look_alone(alice, endpoints):
    set_tenant_state(tenant=alice.tenant, state="read_only")
    for method, path, body, scope in endpoints:
        status, _ = alice(method, path, body)
        assert status == (200 if scope == "providers:read" else 403), (method, path)
