"""/v1/routes as its callers see it: Alice of Acme, and Charlie who must see nothing of hers."""

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from common.errors import InvalidRequest
from common.ids import new_id
from providers.actions.routes import create_route, delete_route, learn_route
from providers.models import Route, RouteTarget
from providers.route_policy import RoutePolicy
from providers.scope import owner_scope
from providers.snapshots import load_tenant_catalogue
from providers.tests.callers import caller_of
from tenants.actions.tenants import set_tenant_state
from tenants.snapshots import load_identity

pytestmark = pytest.mark.django_db(transaction=True)

POLICY = {
    "mid_stream": "restart",
    "sticky": True,
    "canary": {"target": "b/new", "percent": 5},
    "hedge": {"percent": 20},
    "cache": {},
    "deadlines": {"headers": 2.5},
    "fallbacks": {"any": ["c/m"], "context_too_long": ["c/long"]},
}
RULE = {
    "target": "a/m",
    "weight": 3,
    "credential": "main",
    "parameters": {"temperature": 0.5, "metadata": {"team": "x"}},
    "tags": ["eu"],
    "schedule": {"days": ["mon"], "start": "08:00", "end": "18:00", "time_zone": "Europe/Berlin"},
    "tier": "simple",
}
FAST = {"name": "fast", "strategy": "weighted", "targets": [RULE, "b/m"], "policy": POLICY}


@pytest.fixture
def made(alice):
    status, route = alice("post", "routes", FAST)
    assert status == 201, route
    return route


def test_a_route_is_made_as_it_was_given(alice, made):
    assert made | {"created_at": "", "updated_at": ""} == {
        "object": "route",
        "name": "fast",
        "strategy": "weighted",
        "targets": [RULE, {"target": "b/m"}],
        "policy": POLICY,
        "drop_params": False,
        "enabled": True,
        "learned": {},
        "created_at": "",
        "updated_at": "",
    }
    assert alice("get", "routes/fast") == (200, made)


def test_what_the_gateway_loads_is_what_was_given(alice, made):
    entry = load_tenant_catalogue(alice.tenant).routes["fast"]
    assert (entry.strategy, entry.policy.fallbacks.any, entry.policy.deadlines.headers) == ("weighted", ("c/m",), 2.5)
    assert [(rule.target, rule.weight, rule.tier) for rule in entry.rules] == [("a/m", 3, "simple"), ("b/m", 1, None)]
    assert entry.rules[0].parameters == RULE["parameters"]
    assert entry.policy.cache is not None


def test_without_more_a_route_is_as_usual(alice):
    _, plain = alice("post", "routes", {"name": "plain", "targets": ["a/m"]})
    assert (plain["strategy"], plain["policy"], plain["targets"]) == ("priority", {}, [{"target": "a/m"}])


def test_a_name_that_is_taken_is_409_and_changes_nothing(alice, made):
    assert alice.refused("post", "routes", FAST | {"targets": ["z/z"]}) == (409, "name", "conflict")
    assert alice("get", "routes/fast") == (200, made)


@pytest.mark.parametrize("name", ["*", "gpt-*", "openai/gpt-4o", "a/*/c*", "a//b", "ends/"])
def test_names_may_hold_slashes_and_stars(alice, name):
    status, route = alice("post", "routes", {"name": name, "targets": ["a/*"]})
    assert (status, route["name"]) == (201, name)
    assert alice("get", f"routes/{name}") == (200, route)
    assert alice("patch", f"routes/{name}", {"enabled": False})[1]["enabled"] is False
    assert alice("delete", f"routes/{name}") == (204, None)
    assert alice("get", f"routes/{name}")[0] == 404


def test_an_answer_may_be_changed_and_sent_back_any_number_of_times(alice, made):
    for _ in range(2):
        status, changed = alice("put", "routes/fast", made | {"strategy": "cost"})
        assert status == 200
        assert changed | {"updated_at": ""} == made | {"strategy": "cost", "updated_at": ""}
    assert alice("put", "routes/fast", changed) == (200, changed), "nothing changed, nor did the time of the change"


def test_saying_what_is_so_makes_nobody_load_anything_again(alice, made):
    before = load_identity(alice.tenant.id).version
    alice("put", "routes/fast", made)
    assert load_identity(alice.tenant.id).version == before
    alice("patch", "routes/fast", {"policy": {}})
    assert load_identity(alice.tenant.id).version > before


def test_writing_anew_forgets_what_is_left_out_but_not_what_was_learned(alice, made):
    with owner_scope(alice.tenant):
        learn_route(owner=alice.tenant, route_id=Route.objects.get(name="fast").id, learned={"bias/simple": 0.25})
    status, changed = alice("put", "routes/fast", {"targets": ["b/m"]})
    assert (status, changed["strategy"], changed["policy"]) == (200, "priority", {})
    assert changed["learned"] == {"bias/simple": 0.25}
    assert load_tenant_catalogue(alice.tenant).routes["fast"].learned == {"bias/simple": 0.25}


def test_changing_a_part_leaves_the_rest(alice, made):
    _, changed = alice("patch", "routes/fast", {"targets": ["b/m"]})
    expected = made | {"targets": [{"target": "b/m"}]}
    assert changed | {"updated_at": ""} == expected | {"updated_at": ""}
    _, changed = alice("patch", "routes/fast", {"policy": {"retries": 0}})
    assert (changed["policy"], changed["targets"]) == ({"retries": 0}, [{"target": "b/m"}])


def test_a_route_keeps_its_name(alice, made):
    assert alice.refused("patch", "routes/fast", {"name": "other"})[:2] == (400, "name")


def test_what_is_learned_are_numbers(alice, made):
    with owner_scope(alice.tenant):
        route_id = Route.objects.get(name="fast").id
    for learned in ({"x": float("nan")}, {"": 1.0}, {"x" * 101: 1.0}, {f"n{i}": 1.0 for i in range(1_001)}):
        with pytest.raises(InvalidRequest):
            learn_route(owner=alice.tenant, route_id=route_id, learned=learned)


# Bodies.

WRONG = [
    ({"name": ""}, "name"), ({"name": "default"}, "name"), ({"name": "two words"}, "name"),
    ({"name": "x/explain"}, "name"), ({"name": "x" * 201}, "name"), ({"name": "ü*"}, "name"),
    ({"strategy": "luck"}, "strategy"), ({"strategy": None}, "strategy"), ({"enabled": "maybe"}, "enabled"),
    ({"nonsense": 1}, "nonsense"),
    ({"targets": []}, "targets"), ({"targets": "a/b"}, "targets"), ({"targets": ["a/b"] * 51}, "targets"),
    ({"targets": ["a/b", "a/b"]}, "targets[1]"), ({"targets": ["a/b", 5]}, "targets[1]"),
    ({"targets": ["a/b", "fast"]}, "targets[1]"), ({"targets": [{"weight": 1}]}, "targets[0]"),
    ({"targets": [{"target": "A/b"}]}, "targets[0].target"), ({"targets": [{"target": ""}]}, "targets[0].target"),
    ({"targets": [RULE | {"weight": -1}]}, "targets[0].weight"), ({"targets": [RULE | {"x": 1}]}, "targets[0].x"),
    ({"targets": [RULE | {"tier": "easy"}]}, "targets[0].tier"),
    ({"targets": [RULE | {"tags": [""]}]}, "targets[0].tags[0]"),
    ({"targets": [RULE | {"credential": "x" * 64}]}, "targets[0].credential"),
    ({"targets": ["a/b", RULE | {"schedule": {"time_zone": "Mars/Base"}}]}, "targets[1].schedule.time_zone"),
    ({"targets": [RULE | {"schedule": {"time_zone": "../etc/passwd"}}]}, "targets[0].schedule.time_zone"),
    ({"targets": [RULE | {"schedule": {"time_zone": ""}}]}, "targets[0].schedule.time_zone"),
    ({"targets": [RULE | {"schedule": {"time_zone": "x" * 9_000}}]}, "targets[0].schedule.time_zone"),
    ({"targets": [RULE | {"schedule": {"start": "25:00"}}]}, "targets[0].schedule.start"),
    ({"targets": [RULE | {"schedule": {"start": "08:00\n"}}]}, "targets[0].schedule.start"),
    ({"targets": [RULE | {"schedule": {"end": "0\u0668:00"}}]}, "targets[0].schedule.end"),
    ({"targets": [RULE | {"schedule": {"noon": "1"}}]}, "targets[0].schedule.noon"),
    ({"targets": [RULE | {"parameters": {"model": "x"}}]}, "targets[0].parameters.model"),
    ({"targets": [RULE | {"parameters": {"x": "\0"}}]}, None),
    ({"targets": [RULE | {"parameters": {"x": "y" * 70_000}}]}, "targets"),
    ({"targets": [{"target": "a/b", "weight": 0}], "strategy": "weighted"}, "targets"),
    ({"policy": None}, "policy"), ({"policy": []}, "policy"), ({"policy": {"x": 1}}, "policy.x"),
    ({"policy": {"hedge": {"percent": 101}}}, "policy.hedge.percent"),
    ({"policy": {"hedge": {"x": 1}}}, "policy.hedge.x"), ({"policy": {"retries": 6}}, "policy.retries"),
    ({"policy": {"canary": {"target": "fast", "percent": 1}}}, "policy.canary.target"),
    ({"policy": {"canary": {"target": "a/b"}}}, "policy.canary"),
    ({"policy": {"shadow": {"target": "fast"}}}, "policy.shadow.target"),
    ({"policy": {"fallbacks": {"rate_limited": ["a/b", "fast"]}}}, "policy.fallbacks.rate_limited[1]"),
    ({"policy": {"fallbacks": {"sunshine": []}}}, "policy.fallbacks.sunshine"),
    ({"policy": {"deadlines": {"total": 0}}}, "policy.deadlines.total"),
    ({"policy": {"deadlines": {"total": "soon"}}}, "policy.deadlines.total"),
    ({"policy": {"mid_stream": "panic"}}, "policy.mid_stream"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "named"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_made(alice, wrong, named):
    status, param, _ = alice.refused("post", "routes", {"name": "r", "targets": ["a/b"], **wrong})
    assert (status, param) == (400, named)
    assert alice("get", "routes")[1]["data"] == []


@pytest.mark.parametrize("number", [b"1e999", b"NaN", b"-Infinity"])
def test_numbers_that_are_none_are_refused(alice, number):
    body = b'{"name": "r", "targets": [{"target": "a/b", "parameters": {"x": ' + number + b"}}]}"
    assert alice.refused("post", "routes", body)[0] == 400


def test_characters_that_are_none_are_refused(alice):
    body = b'{"name": "r", "targets": [{"target": "a/b", "parameters": {"x": "\\ud800"}}]}'
    assert alice.refused("post", "routes", body)[0] == 400


# Lists.


def listed(caller, query=""):
    status, found = caller("get", f"routes?{query}")
    assert status == 200
    return [each["name"] for each in found["data"]]


def test_lists_are_in_pages_in_the_order_of_names(alice):
    for name in ("c", "a*", "b/x"):
        alice("post", "routes", {"name": name, "targets": ["a/b", "a/c"]})
    _, first = alice("get", "routes?limit=2")
    assert ([each["name"] for each in first["data"]], first["has_more"]) == (["a*", "b/x"], True)
    assert listed(alice, "limit=2&after=b/x") == ["c"]


@pytest.mark.parametrize(
    ("query", "names"),
    [("strategy=cost", ["off"]), ("enabled=true", ["on"]), ("q=of", ["off"]), ("provider=a", ["off", "on"]),
     ("provider=c", ["on"]), ("provider=none", [])],
)  # fmt: skip
def test_filters(alice, query, names):
    alice("post", "routes", {"name": "on", "targets": ["a/b", "a/c", "c/d"]})
    alice("post", "routes", {"name": "off", "targets": ["a/b"], "strategy": "cost", "enabled": False})
    assert listed(alice, query) == names


@pytest.mark.parametrize(
    ("query", "named"), [("strategy=luck", "strategy"), ("enabled=1", "enabled"), ("x=1", "x"), ("limit=0", "limit")]
)
def test_a_query_that_is_wrong_is_named(alice, query, named):
    assert alice.refused("get", f"routes?{query}")[:2] == (400, named)


# Who may.


def test_one_tenants_routes_are_not_anothers(alice, charlie, made):
    assert listed(charlie) == []
    for method, body in (("get", None), ("patch", {"enabled": False}), ("put", FAST), ("delete", None)):
        assert charlie.refused(method, "routes/fast", body)[0] == 404
    assert alice("get", "routes/fast") == (200, made)


def test_the_platforms_routes_are_not_listed_and_not_changed(alice):
    name = f"house-{new_id().hex[-12:]}"
    route_id = create_route(owner=None, name=name, targets=["a/b"])
    assert listed(alice) == []
    assert alice.refused("patch", f"routes/{name}", {"enabled": False})[0] == 404
    delete_route(owner=None, route_id=route_id)


def test_scopes(alice, made):
    reader, writer = caller_of(alice.tenant, "providers:read"), caller_of(alice.tenant, "providers:write")
    assert reader("get", "routes/fast")[0] == 200
    for method, path, body in (
        ("post", "routes", FAST),
        ("put", "routes/fast", FAST),
        ("patch", "routes/fast", {}),
        ("delete", "routes/fast", None),
    ):
        assert reader.refused(method, path, body)[2] == "insufficient_scope"
    assert writer.refused("get", "routes")[2] == "insufficient_scope"


def test_a_tenant_that_is_read_only_changes_nothing(alice, made):
    set_tenant_state(tenant=alice.tenant, state="read_only")
    assert alice.refused("patch", "routes/fast", {"enabled": False})[2] == "tenant_read_only"
    assert alice("get", "routes/fast")[0] == 200


@pytest.mark.parametrize(
    "rule",
    [{"weight": "heavy"}, {"schedule": {"start": "08:00\n"}}, {"schedule": {"time_zone": "Mars/Base"}}],
)
def test_a_route_that_cannot_be_read_leaves_the_others_usable(alice, made, caplog, rule):
    alice("post", "routes", {"name": "sound", "targets": ["a/b"]})
    with owner_scope(alice.tenant):
        RouteTarget.objects.filter(route__name="fast").update(rule=rule)
    assert set(load_tenant_catalogue(alice.tenant).routes) == {"sound"}
    assert "route unreadable" in caplog.text


def test_the_document_says_what_targets_and_policies_may_hold():
    document = SchemaGenerator(urlconf="orchestrator_site.urls_api").get_schema(public=True)
    assert set(document["paths"]["/v1/routes/{name}"]) == {"get", "put", "patch", "delete"}
    body = document["components"]["schemas"]["NewRouteBody"]["properties"]
    assert set(body["policy"]["properties"]) == set(RoutePolicy.__struct_fields__)
    assert body["policy"]["properties"]["fallbacks"]["properties"]["any"]["maxItems"] == 20
    _, rule = body["targets"]["items"]["anyOf"]
    assert rule["required"] == ["target"]
    assert "$ref" not in str(rule)


def test_the_worked_example_works(alice):
    _, _, after = (settings.BASE_DIR / "docs" / "api.md").read_text().partition("curl $BASE/v1/routes ")
    body = after.partition("-d '")[2].partition("}'")[0] + "}"
    status, route = alice("post", "routes", body.encode())
    assert (status, route["name"], len(route["targets"])) == (201, "assistant", 3)
    assert load_tenant_catalogue(alice.tenant).routes["assistant"].policy.deadlines.first_chunk == 4
