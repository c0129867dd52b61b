"""POST /v1/routes/{name}/explain: who would be asked, and why, without asking."""

import pytest

from gateway.tests.conftest import body
from providers.actions.routes import create_route


async def explain(gateway, key, name, **fields):
    headers = {"authorization": f"Bearer {key}"}
    address = f"{gateway.url}/routes/{name}/explain"
    async with gateway.session.post(address, json=body(**fields), headers=headers) as response:
        return response.status, await response.json()


@pytest.fixture
def routes(own_tenant):
    owner = own_tenant.tenant
    create_route(
        owner=owner,
        name="two",
        strategy="weighted",
        targets=["mock/plain", {"target": "spare/plain", "tags": ["eu"]}],
        policy={"fallbacks": {"any": ["spare/plain"]}, "canary": {"target": "spare/plain", "percent": 0}},
    )
    create_route(owner=owner, name="pl*", targets=["mock/*"])
    return own_tenant


async def test_candidates_come_with_verdicts_and_reasons_and_nobody_is_called(gateway, routes, upstream):
    before = len(upstream.journal.read_text())
    status, told = await explain(gateway, routes.key, "two", model="whatever")
    assert (status, told["route"], told["strategy"], told["model"]) == (200, "two", "weighted", "two")
    first, left_out, fallback = told["candidates"]
    assert (first["target"], first["verdict"], first["circuit"]) == ("mock/plain", "first", "closed")
    assert first["expected_cost_nano"] > 0
    assert (left_out["verdict"], left_out["reason"]) == ("left_out", "other_tags")
    assert (fallback["verdict"], fallback["reason"]) == ("fallback", "fallback_any")
    assert len(upstream.journal.read_text()) == before


async def test_a_pattern_is_explained_for_a_name_that_fits_it(gateway, routes):
    status, told = await explain(gateway, routes.key, "pl*", model="plain")
    assert (status, told["route"], told["model"]) == (200, "pl*", "plain")
    assert [each["target"] for each in told["candidates"]] == ["mock/plain"]


async def test_what_is_no_route_is_not_found(gateway, routes):
    status, told = await explain(gateway, routes.key, "mock/plain")
    assert (status, told["error"]["code"]) == (404, "route_not_found")


async def test_another_tenants_route_is_not_found(gateway, routes, tenant):
    status, told = await explain(gateway, tenant.key, "two")
    assert (status, told["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("name", ["two", "pl*"])
@pytest.mark.parametrize(
    "sent", [b'{"\xff":1}', b'{"model":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"[" * 50_000, b'"', b"[]", b"null"]
)
async def test_a_body_that_is_no_request_is_refused_in_words(gateway, routes, name, sent):
    headers = {"authorization": f"Bearer {routes.key}", "content-type": "application/json"}
    address = f"{gateway.url}/routes/{name}/explain"
    async with gateway.session.post(address, data=sent, headers=headers) as response:
        told = await response.json()
        assert (response.status, told["error"]["code"]) == (400, "invalid_json")
