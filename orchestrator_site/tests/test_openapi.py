"""The document says all there is, and nothing that isn't."""

import pytest
from django.conf import settings
from django.core.management import call_command
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

import common.errors
from billing.idempotency.claims import HEADER, ORIGINAL, REPLAYED
from gateway.edge.routes import EXPLAINED, GET_MODEL, INPUT_ITEMS, ROUTES, STORED_RESPONSE
from gateway.explaining import Explained, Shown
from gateway.wishes import KNOWN
from orchestrator_site.health.endpoints import HealthEndpoints

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
URLS = str(settings.SPECTACULAR_SETTINGS["SERVE_URLCONF"])
# Said of every GET alike.
UNDOCUMENTED = {"HEAD", "OPTIONS"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator(urlconf=URLS).get_schema(request=None, public=True)


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method.upper(), operation


def test_it_is_valid_and_complete_without_a_warning(tmp_path):
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        format="openapi-json",
        file=str(tmp_path / "schema.json"),
        urlconf=URLS,
    )


async def no_providers():
    return {}


def test_every_route_of_the_edge_is_described_with_its_methods(document):
    served = {
        (route.template, method)
        for route in (*ROUTES.values(), GET_MODEL, STORED_RESPONSE, INPUT_ITEMS, EXPLAINED)
        for method in route.methods - UNDOCUMENTED
    }
    health = HealthEndpoints(settings.ENVIRONMENT, lambda: None, no_providers)
    served |= {(path, "GET") for path in (*health._reports, "/metrics")}
    views = EndpointEnumerator(urlconf=URLS)
    described = {(path, method) for path, method, _ in operations(document)}
    by_django = {(path, method) for path, _, method, _ in views.get_api_endpoints()}
    assert served
    assert described == served | by_django


def test_every_operation_below_v1_needs_a_key_and_tells_its_refusals(document):
    for path, _, operation in operations(document):
        if path.startswith("/v1/"):
            assert operation["security"] == [{"apiKey": []}, {"apiKeyHeader": []}]
            assert {"401", "403", "405", "503"} <= operation["responses"].keys()
            assert operation["tags"]
        else:
            assert operation["security"] in ([], [{"metricsToken": []}])


def test_the_statuses_and_types_of_errors_are_those_of_the_tree(document):
    kinds = [
        kind
        for kind in vars(common.errors).values()
        if isinstance(kind, type) and issubclass(kind, common.errors.OrchestratorError)
    ]
    schema = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]
    assert set(schema["type"]["enum"]) == {kind.type for kind in kinds}
    documented = {int(name.removeprefix("Error")) for name in document["components"]["responses"]}
    assert documented <= {kind.status for kind in kinds}


def test_what_makes_something_takes_every_wish_and_explaining_those_that_choose(document):
    named = {name: each["name"] for name, each in document["components"]["parameters"].items()}

    def taken(path):
        refs = (each.get("$ref", "") for each in document["paths"][path]["post"].get("parameters", ()))
        return {named[ref.rpartition("/")[2]] for ref in refs if ref}

    assert set(named.values()) == {name.decode() for name in KNOWN} | {HEADER}
    assert taken("/v1/chat/completions") == taken("/v1/rerank") == set(named.values())
    assert taken("/v1/messages/count_tokens") == {HEADER}
    assert {"x-orchestrator-tags", "x-orchestrator-session"} < taken("/v1/routes/{name}/explain")


def test_every_post_may_be_sent_again(document):
    for path, method, operation in operations(document):
        takes = {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", ())
        assert takes == (method == "POST"), path
        if takes:
            assert "409" in operation["responses"]
            answered = next(each for status, each in operation["responses"].items() if status.startswith("2"))
            assert answered["headers"].keys() >= {REPLAYED, ORIGINAL}


def test_what_an_explanation_holds_is_described(document):
    schema = document["components"]["schemas"]["ExplainedRoute"]["properties"]
    assert schema.keys() == set(Explained.__struct_fields__)
    assert schema["candidates"]["items"]["properties"].keys() == set(Shown.__struct_fields__)


def test_every_security_scheme_that_is_named_exists(document):
    schemes = document["components"]["securitySchemes"].keys()
    named = {name for _, _, operation in operations(document) for each in operation["security"] for name in each}
    assert named <= schemes


def test_the_usage_of_drf_is_there(document):
    assert document["paths"]["/v1/usage"]["get"]["responses"]["200"]["content"]
    assert {"400"} <= document["paths"]["/v1/usage"]["get"]["responses"].keys()
