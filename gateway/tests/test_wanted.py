"""The models that a request names itself, beside the first."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest, OrchestratorError
from common.ids import new_id
from gateway.admitting import admit, identify
from gateway.calls import Call
from gateway.keys import Presented
from gateway.tests.conftest import settlements
from gateway.wanted import Named, Wanted, understood, wanted
from providers.wire.registry import SPEECHES
from tenants.actions.api_keys import create_api_key
from tenants.actions.tenants import change_tenant
from tenants.scopes import Scope

CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
BODIES: dict[str, dict[str, Any]] = {
    "chat": CHAT,
    "completions": {"prompt": "Hello"},
    "messages": {**CHAT, "max_tokens": 5},
    "responses": {"input": "Hello"},
}


def read(dialect="chat", **fields):
    return SPEECHES[dialect].parse_request(json.dumps({**BODIES[dialect], **fields}).encode())


def names(**fields):
    first, further = wanted(read(**fields))
    return [first.model, *(each.name for each in further)]


@pytest.mark.parametrize("dialect", BODIES)
def test_every_dialect_may_name_several_and_no_vendor_sees_them(dialect):
    for fields in ({"models": ["a", "b"]}, {"model": "a", "models": ["b"]}, {"model": "a", "fallbacks": ["b"]}):
        request, further = wanted(read(dialect, **fields))
        assert (request.model, [each.name for each in further]) == ("a", ["b"])
        assert request.fields.keys() == {"model", *BODIES[dialect]}
        assert msgspec.json.decode(request.fields["model"]) == "a"


def test_a_request_that_names_one_is_left_as_it_is():
    request = read(model="a")
    assert wanted(request, may_name=False) == Wanted(request, ())
    assert wanted(request).request is request


def test_names_are_tried_in_their_order_each_once():
    assert names(model="a", models=["b", "a", "c", "b"]) == ["a", "b", "c"]
    assert names(models=["a", "b", "a"], fallbacks=["c", {"model": "b"}, {"model": "d"}]) == ["a", "b", "c", "d"]
    assert names(model=None, models=["a", "b"]) == ["a", "b"]


def test_a_name_knows_its_place():
    assert wanted(read(model="a", models=["a", "b"], fallbacks=["c"])).further == (
        Named("b", "models[1]"),
        Named("c", "fallbacks[0]"),
    )


@pytest.mark.parametrize("nothing", [{"models": None}, {"fallbacks": []}, {"models": [], "fallbacks": None}])
def test_lists_without_names_ask_for_nothing(nothing):
    request, further = wanted(read(model="a", **nothing), may_name=False)
    assert further == ()
    assert not {"models", "fallbacks"} & request.fields.keys()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"models": "b"}, "models"),
        ({"models": {"b": 1}}, "models"),
        ({"fallbacks": "b"}, "fallbacks"),
        ({"models": ["b", "c", 7]}, "models[2]"),
        ({"models": ["b", ""]}, "models[1]"),
        ({"models": ["b", "x" * 266]}, "models[1]"),
        ({"models": [None]}, "models[0]"),
        ({"fallbacks": [{"model": 3}]}, "fallbacks[0]"),
        ({"fallbacks": ["b", {}]}, "fallbacks[1]"),
        ({"fallbacks": [{"model": "b", "messages": []}]}, "fallbacks[0]"),
        ({"fallbacks": [{"gpt-4o": ["b"]}]}, "fallbacks[0]"),
        ({"models": [f"m{number}" for number in range(11)]}, "models"),
        ({"models": [f"m{number}" for number in range(9)], "fallbacks": ["x", "y"]}, "fallbacks"),
    ],
)
def test_what_is_no_list_of_names_is_refused_by_its_place(fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        wanted(read(model="a", **fields))
    assert refusal.value.param == param


def test_ten_names_are_taken():
    assert len(names(model="a", models=[f"m{number}" for number in range(10)])) == 11


@pytest.mark.parametrize("dialect", BODIES)
@pytest.mark.parametrize(("models", "param"), [(7, "models"), ([], "model"), (None, "model"), ([3], "model")])
def test_without_a_model_there_must_be_a_first_of_the_models(dialect, models, param):
    with pytest.raises(InvalidRequest) as refusal:
        read(dialect, models=models)
    assert refusal.value.param == param


@pytest.mark.parametrize("field", ["models", "fallbacks"])
def test_a_tenant_may_forbid_it(field):
    with pytest.raises(InvalidRequest) as refusal:
        wanted(read(model="a", **{field: ["b"]}), may_name=False)
    assert (refusal.value.param, refusal.value.code) == (field, "fallbacks_not_allowed")


def test_what_is_no_completion_has_the_field_to_itself():
    request = msgspec.structs.replace(read(model="a", models=["b"]), dialect="embeddings")
    assert wanted(request) == Wanted(request)


async def understood_by(gateway, key, **fields):
    services = gateway.services
    identified = await identify(services, Presented(key.encode()), "localhost", Scope.COMPLETIONS_WRITE)
    caller = await admit(services, identified)
    return await understood(services.configs, Call(new_id(), identified, read(**fields), 0.0), caller)


async def refused_to(gateway, key, **fields):
    with pytest.raises(OrchestratorError) as refusal:
        await understood_by(gateway, key, **fields)
    return refusal.value.status, refusal.value.param


async def test_further_models_are_fallbacks_for_any_failure_after_the_routes_own(gateway, tenant):
    call, found = await understood_by(
        gateway, tenant.key, models=["mock/mock-500", "spare/plain"], fallbacks=["after-mock-500", "mock/plain"]
    )
    assert (call.request.model, found.name) == ("mock/mock-500", "mock/mock-500")
    assert [(each.target.provider, each.target.model, each.role, each.cause) for each in found.candidates] == [
        ("mock", "mock-500", "target", ""),
        ("spare", "plain", "fallback", "any"),
        ("mock", "plain", "fallback", "any"),
    ]


async def test_without_further_models_nothing_is_made_anew(gateway, tenant):
    call, found = await understood_by(gateway, tenant.key, model="after-mock-500")
    assert call.request.fields.keys() == {"model", "messages"}
    assert found is (await understood_by(gateway, tenant.key, model="after-mock-500"))[1]


@pytest.mark.django_db(transaction=True)
async def test_every_name_must_mean_something_and_be_allowed(gateway, own_tenant):
    owner = own_tenant.tenant
    made = await asyncio.to_thread(create_api_key, tenant=owner, name="narrow", allowed_models=["mock/*"])
    model = "mock/plain"
    assert await refused_to(gateway, made.text, model=model, models=["mock/mock-500", "nowhere"]) == (404, "models[1]")
    assert await refused_to(gateway, made.text, model=model, fallbacks=["spare/plain"]) == (403, "fallbacks[0]")
    assert await refused_to(gateway, made.text, models=["spare/plain", model]) == (403, "model")
    await understood_by(gateway, made.text, model=model, models=["mock/mock-500"])


@pytest.mark.django_db(transaction=True)
async def test_a_tenants_refusal_holds_for_the_next_request(gateway, own_tenant):
    fields = {"model": "mock/plain", "fallbacks": ["spare/plain"]}
    await understood_by(gateway, own_tenant.key, **fields)
    await asyncio.to_thread(change_tenant, tenant=own_tenant.tenant, request_fallbacks=False)
    assert await refused_to(gateway, own_tenant.key, **fields) == (400, "fallbacks")
    await understood_by(gateway, own_tenant.key, model="mock/plain")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "named",
    [
        {"model": "mock/mock-500", "fallbacks": [{"model": "spare/plain"}]},
        {"models": ["mock/mock-500", "spare/plain"]},
        {"model": "hopeless", "models": ["mock/mock-429", "spare/plain"]},
    ],
)
async def test_a_request_falls_back_to_what_it_named(gateway, tenant, named):
    async with gateway.post(tenant.key, {**CHAT, **named}) as response:
        assert response.status == 200, await response.text()
        request_id = response.headers["x-request-id"]
    tried = await settlements(gateway, request_id, count=4 if named.get("model") == "hopeless" else 2)
    assert [row["outcome"] == "completed" for row in tried] == [False] * (len(tried) - 1) + [True]
    assert (tried[-1]["provider"], tried[-1]["model"]) == ("spare", "plain")


@pytest.mark.django_db(transaction=True)
async def test_without_fallbacks_the_failure_is_told(gateway, tenant):
    async with gateway.post(tenant.key, {**CHAT, "models": ["mock/mock-500"]}) as response:
        assert response.status >= 500
