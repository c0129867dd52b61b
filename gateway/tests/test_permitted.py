"""What a key's lists let it ask for, and how soon a change of them holds."""

import asyncio
from functools import partial

import pytest

from gateway.tests.conftest import body
from providers.actions.routes import create_route
from tenants.actions.api_keys import create_api_key, set_key_allowed
from tenants.actions.plans import create_plan
from tenants.actions.tenants import change_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(own_tenant):
    return create_api_key(tenant=own_tenant.tenant, name="narrow")


@pytest.fixture
def allow(own_tenant, made):
    def change(*patterns):
        return asyncio.to_thread(set_key_allowed, tenant=own_tenant.tenant, key_id=made.key_id, allowed_models=patterns)

    return change


async def asked(gateway, key, model):
    async with gateway.post(key.text, body(model=model)) as response:
        return response.status, await response.json()


async def status(gateway, key, model):
    return (await asked(gateway, key, model))[0]


async def listed(gateway, key):
    async with gateway.get("/models", key.text) as response:
        return [each["id"] for each in (await response.json())["data"]]


async def test_without_a_list_everything_answers(gateway, made):
    assert await status(gateway, made, "mock/plain") == 200


async def test_a_model_is_allowed_by_its_full_name_or_its_bare_one(gateway, made, allow):
    for patterns, allowed in ((["mock/*"], 200), (["plain"], 200), (["pl*n"], 200), (["spare/*"], 403), (["x"], 403)):
        await allow(*patterns)
        assert await status(gateway, made, "mock/plain") == allowed, patterns


async def test_a_refusal_names_the_field_and_what_is_allowed(gateway, made, allow):
    await allow("spare/*", "fast")
    answer, said = await asked(gateway, made, "mock/plain")
    assert answer == 403
    assert said["error"]["code"] == "model_not_allowed"
    assert said["error"]["param"] == "model"
    assert "'mock/plain'" in said["error"]["message"]
    assert "spare/*, fast" in said["error"]["message"]


async def test_a_long_list_is_not_recited(gateway, made, allow):
    await allow(*(f"{number}-{'x' * 250}" for number in range(200)))
    answer, said = await asked(gateway, made, "mock/plain")
    assert answer == 403
    assert len(said["error"]["message"]) < 1_200


async def test_a_route_that_is_allowed_lets_through_what_it_leads_to(gateway, made, allow):
    await allow("after-*")
    assert await status(gateway, made, "after-mock-500") == 200
    assert await status(gateway, made, "spare/plain") == 403


async def test_a_route_is_not_allowed_by_the_names_of_its_targets(gateway, made, allow):
    await allow("mock/*", "spare/*")
    assert await status(gateway, made, "after-mock-500") == 403


async def test_a_made_up_name_opens_no_pattern_route_to_what_the_name_does_not_choose(gateway, own_tenant, made, allow):
    dear = {"fallbacks": {"any": ["spare/plain"]}}
    for name, target, policy in (("*-pro", "mock/plain", {}), ("pl*", "mock/*", {}), ("mock-5*", "mock/*", dear)):
        make = partial(create_route, owner=own_tenant.tenant, name=name, targets=[target], policy=policy)
        await asyncio.to_thread(make)
    for pattern, model, expected in (
        ("cheap-*", "cheap-x-pro", 403),
        ("*-pro", "cheap-x-pro", 200),
        # Where the name itself says whom it leads to, it is enough.
        ("plain", "plain", 200),
        ("mock-500", "mock-500", 403),
        ("mock-5*", "mock-500", 200),
    ):
        await allow(pattern)
        assert await status(gateway, made, model) == expected, (pattern, model)


async def test_the_default_model_is_allowed_by_that_name_or_by_what_it_means(gateway, own_tenant, made, allow):
    await asyncio.to_thread(change_tenant, tenant=own_tenant.tenant, default_model="mock/plain")
    for patterns, allowed in ((["default"], 200), (["mock/*"], 200), (["spare/*"], 403)):
        await allow(*patterns)
        assert await status(gateway, made, "default") == allowed, patterns


async def test_a_change_holds_for_the_next_request(gateway, made, allow):
    for _ in range(3):
        await allow("mock/*")
        assert await status(gateway, made, "mock/plain") == 200
        await allow("spare/*")
        assert await status(gateway, made, "mock/plain") == 403


async def test_a_plans_list_holds_beside_the_keys_own(gateway, own_tenant, made, allow):
    plan = f"plan of {own_tenant.tenant.slug}"
    await asyncio.to_thread(create_plan, name=plan, allowed_models=["mock/*", "after-*"])
    await asyncio.to_thread(change_tenant, tenant=own_tenant.tenant, plan=plan)
    await allow("mock/*", "spare/*")
    expected = {"mock/plain": 200, "spare/plain": 403, "after-mock-500": 403}
    assert {name: await status(gateway, made, name) for name in expected} == expected


async def test_the_models_that_are_listed_are_those_that_answer(gateway, made, allow):
    everything = await listed(gateway, made)
    await allow("plain", "hopeless")
    assert await listed(gateway, made) == ["hopeless", "mock/plain", "spare/plain"]
    for name, expected in (("mock/plain", 200), ("mock/mock-500", 403), ("no-such-model", 404)):
        async with gateway.get(f"/models/{name}", made.text) as response:
            assert response.status == expected
    await allow()
    assert await listed(gateway, made) == everything


async def test_what_is_unknown_is_answered_with_what_the_key_may_ask_for_alone(gateway, made, allow):
    await allow("spare/plain", "hopeless")
    count = {"model": "nobody", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {made.text}"}
    async with gateway.session.post(f"{gateway.url}/messages/count_tokens", json=count, headers=headers) as response:
        counted = await response.json()
    async with gateway.get("/models/nobody", made.text) as response:
        looked_up = await response.json()
    _, plain = await asked(gateway, made, "nobody")
    _, several = await asked(gateway, made, "plain")
    for said in (counted, looked_up, plain):
        assert said["error"]["message"].endswith("does not exist. Available models: hopeless, spare/plain.")
    assert several["error"]["message"].endswith("Available models: spare/plain.")


async def test_another_key_of_the_tenant_is_not_bound(gateway, own_tenant, made, allow):
    await allow("nothing-there")
    async with gateway.post(own_tenant.key, body()) as response:
        assert response.status == 200


async def test_tokens_are_counted_for_what_is_allowed_alone(gateway, made, allow):
    count = {"model": "mock/plain", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {made.text}"}
    for pattern, expected in (("mock/*", 200), ("spare/*", 403)):
        await allow(pattern)
        url = f"{gateway.url}/messages/count_tokens"
        async with gateway.session.post(url, json=count, headers=headers) as response:
            assert response.status == expected
