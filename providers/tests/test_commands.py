import dataclasses
import http.server
import io
import json
import sys
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from common.ids import new_id
from providers.actions.providers import change_provider, delete_provider
from providers.actions.routes import delete_route
from providers.catalogue import Catalogue, resolve
from providers.models import Provider, Route
from providers.pricing_source import listed_price
from providers.scope import owner_scope
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants.snapshots import versions_of

pytestmark = pytest.mark.django_db(transaction=True)


def platform_rows() -> tuple[set[UUID], set[UUID]]:
    with owner_scope(None):
        return set(Provider.objects.values_list("id", flat=True)), set(Route.objects.values_list("id", flat=True))


@pytest.fixture(autouse=True)
def platform_as_it_was():
    """The platform's catalogue is everybody's: what a test adds to it goes again."""
    providers, routes = platform_rows()
    yield
    after_providers, after_routes = platform_rows()
    for row_id in after_providers - providers:
        delete_provider(owner=None, provider_id=row_id)
    for row_id in after_routes - routes:
        delete_route(owner=None, route_id=row_id)


def fresh(name: str) -> str:
    return f"{name}-{new_id().hex[-12:]}"


def run(name, *args, **options) -> str:
    out = io.StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def authorization(target):
    return dict(target.headers)["authorization"].reveal()


@pytest.fixture
def environment(settings, monkeypatch):
    """Sets variables in the process and in the typed environment alike."""

    def change(**values):
        for name, value in values.items():
            monkeypatch.setenv(name.upper(), value)
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, **values)

    return change


def test_the_demo_provider_is_seeded_priced_and_once(environment):
    environment(demo_provider_url="http://127.0.0.1:8100/v1", demo_provider_key="demo-key-1")
    assert "demo" in run("seed_platform_providers")
    before = versions_of([]).platform
    run("seed_platform_providers")
    assert versions_of([]).platform == before, "the same again changes nothing"

    [target] = resolve("default", Catalogue(), load_platform_catalogue(), "demo/demo-chat").targets
    assert target.base_url == "http://127.0.0.1:8100/v1"
    assert authorization(target) == "Bearer demo-key-1"
    assert target.price is not None
    assert (target.price.input[0].nano_per_mtok, target.price.output[0].nano_per_mtok) == (150_000_000, 600_000_000)

    environment(demo_provider_url="http://127.0.0.1:8200/v1", demo_provider_key="demo-key-2")
    run("seed_platform_providers")
    [target] = resolve("demo/demo-mini", Catalogue(), load_platform_catalogue()).targets
    assert target.base_url == "http://127.0.0.1:8200/v1"
    assert authorization(target) == "Bearer demo-key-2"
    assert versions_of([]).platform > before


def test_vendors_appear_with_their_keys_and_the_list_prices(environment):
    environment(openai_api_key="sk-openai", mistral_api_key="mistral-key", anthropic_api_key="a", gemini_api_key="g")
    told = run("seed_platform_providers")
    assert "Platform providers: openai, mistral, anthropic, gemini." in told
    assert "sk-openai" not in told
    catalogue = load_platform_catalogue()
    for name, key in (("openai/gpt-4o-mini", "sk-openai"), ("mistral/mistral-small-latest", "mistral-key")):
        [target] = resolve(name, Catalogue(), catalogue).targets
        assert authorization(target) == f"Bearer {key}"
        assert target.price is not None
        assert target.price.version.startswith("genai-prices/")
    models = [offer.target.model for offer in catalogue.offers.values() if offer.target.provider == "openai"]
    assert len(models) > 10
    assert not [name for name in models if "embedding" in name or "image" in name or "realtime" in name]


def test_vendors_with_a_wire_of_their_own_are_seeded_from_their_templates(environment):
    environment(anthropic_api_key="sk-ant", gemini_api_key="sk-gem")
    run("seed_platform_providers")
    with owner_scope(None):
        seeded = {row.name: row for row in Provider.objects.filter(name__in=["anthropic", "gemini"])}
        offered = {name: list(row.offered_models.all()) for name, row in seeded.items()}
    assert seeded["anthropic"].wire == seeded["anthropic"].template == "anthropic"
    assert seeded["gemini"].base_url == "https://generativelanguage.googleapis.com/v1beta"
    for name, models in offered.items():
        assert seeded[name].default_model in {model.name for model in models}
        assert all(listed_price(seeded[name].price_provider_id, model.name, at=datetime.now(UTC)) for model in models)
    assert not [model.name for model in offered["gemini"] if "tts" in model.name or "robotics" in model.name]


def test_seeding_again_leaves_what_an_operator_has_set(environment):
    environment(openai_api_key="sk-openai")
    run("seed_platform_providers")
    with owner_scope(None):
        provider_id = Provider.objects.get(name="openai").id
    change_provider(owner=None, provider_id=provider_id, mark_up_basis_points=300, offered_to_plans=["pro"])
    run("seed_platform_providers")
    with owner_scope(None):
        again = Provider.objects.get(name="openai")
    assert (again.mark_up_basis_points, again.offered_to_plans) == (300, ["pro"])


def test_an_ollama_server_that_is_away_is_said_and_not_fatal(environment):
    environment(ollama_host="127.0.0.1:9")
    assert "OLLAMA_HOST" in run("seed_platform_providers")
    assert "ollama" in load_platform_catalogue().providers


def test_an_ollama_server_offers_what_it_has_for_nothing(environment, live_models):
    environment(ollama_host=live_models)
    run("seed_platform_providers")
    [target] = resolve("ollama/qwen3:8b", Catalogue(), load_platform_catalogue()).targets
    assert target.base_url == f"http://{live_models}/v1"
    assert target.price is not None
    assert target.price.input[0].nano_per_mtok == 0


@pytest.fixture
def live_models():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/v1/models"
            body = json.dumps({"object": "list", "data": [{"id": "qwen3:8b", "object": "model"}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_model_configs_seeds_providers_and_routes(environment, tmp_path, monkeypatch):
    vendor, route = fresh("vllm"), fresh("fast")
    path = tmp_path / "models.json"
    path.write_text(
        json.dumps(
            {
                "providers": [
                    {"name": vendor, "base_url": "http://vllm:8000/v1", "key_env": "VLLM_KEY", "models": ["qwen"]}
                ],
                "routes": [{"name": route, "targets": [f"{vendor}/qwen"]}],
            }
        )
    )
    monkeypatch.setenv("VLLM_KEY", "vllm-secret")
    environment(model_configs=str(path))
    run("seed_platform_providers")
    [target] = resolve(route, Catalogue(), load_platform_catalogue()).targets
    assert (target.provider, target.model) == (vendor, "qwen")
    assert authorization(target) == "Bearer vllm-secret"


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ({"key_env": "NOT_SET_ANYWHERE"}, "providers[1].key_env"),
        ({"base_url": "nonsense"}, "providers[1].base_url"),
        ({"models": [{"name": "two words"}]}, "providers[1].name"),
        ({"deadlines": {"total": "x"}}, "providers[1].deadlines.total"),
    ],
)
def test_a_faulty_file_names_its_place_and_changes_nothing(environment, tmp_path, fault, place):
    first, second = fresh("first"), fresh("second")
    path = tmp_path / "models.json"
    path.write_text(
        json.dumps(
            {
                "providers": [
                    {"name": first, "base_url": "http://h/v1"},
                    {"name": second, "base_url": "http://h/v1", **fault},
                ]
            }
        )
    )
    environment(model_configs=str(path))
    with pytest.raises(CommandError) as refusal:
        run("seed_platform_providers")
    assert place in str(refusal.value)
    assert not load_platform_catalogue().providers & {first, second}


def test_a_missing_file_is_said(environment):
    environment(model_configs="/nowhere/models.json")
    with pytest.raises(CommandError, match=r"MODEL_CONFIGS: /nowhere/models\.json cannot be read"):
        run("seed_platform_providers")
    with pytest.raises(CommandError, match=r"--file: /nowhere/models\.json cannot be read"):
        run("create_provider", "--file", "/nowhere/models.json")


def test_create_provider_for_a_tenant(make_tenant, monkeypatch):
    acme, globex = make_tenant("acme").tenant, make_tenant("globex").tenant
    monkeypatch.setenv("MY_KEY", "sk-from-env")
    options = ("--base-url", "http://127.0.0.1:9/v1", "--model", "a", "--model", "b", "--price", "1.5/2")
    run("create_provider", "mine", "--tenant", acme.slug, "--key-env", "MY_KEY", *options)
    [target] = resolve("mine/b", load_tenant_catalogue(acme), Catalogue()).targets
    assert authorization(target) == "Bearer sk-from-env"
    assert target.price is not None
    assert target.price.output[0].nano_per_mtok == 2_000_000_000
    assert not load_tenant_catalogue(globex).providers
    assert "mine" not in load_platform_catalogue().providers


def test_create_provider_reads_its_key_from_standard_input(make_tenant, monkeypatch):
    acme = make_tenant("acme").tenant
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-typed\n"))
    told = run(
        "create_provider", "mine", "--tenant", acme.slug, "--key-stdin", "--base-url", "http://h/v1", "--model", "a"
    )
    assert "sk-typed" not in told
    [target] = resolve("a", load_tenant_catalogue(acme), Catalogue()).targets
    assert authorization(target) == "Bearer sk-typed"


def test_create_provider_takes_many_from_a_file(make_tenant, tmp_path):
    acme = make_tenant("acme").tenant
    path = tmp_path / "many.json"
    many = [{"name": f"p{i}", "base_url": "http://h/v1", "models": ["m"]} for i in range(20)]
    path.write_text(json.dumps({"providers": many}))
    run("create_provider", "--tenant", acme.slug, "--file", str(path))
    assert len(load_tenant_catalogue(acme).offers) == 20


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--base-url"),
        (("x",), "--base-url"),
        (("x", "--file", "f"), "either"),
        (("x", "--base-url", "http://h/v1", "--price", "cheap"), "--price"),
        (("X!", "--base-url", "http://h/v1"), "name"),
        (("x", "--base-url", "http://h/v1", "--tenant", "no-such-tenant"), "no tenant"),
        (("x", "--base-url", "http://h/v1", "--key-env", "NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE"),
    ],
)
def test_create_provider_refuses_plainly(arguments, told):
    with pytest.raises(CommandError, match=told):
        run("create_provider", *arguments)


def test_a_provider_is_made_from_a_template(make_tenant, monkeypatch):
    acme = make_tenant("acme").tenant
    monkeypatch.setenv("AZURE_KEY", "azure-secret")
    told = run(
        *("create_provider", "azure", "--template", "azure-openai", "--set", "RESOURCE=res", "--key-env", "AZURE_KEY"),
        *("--model", "gpt-5.4", "--tenant", acme.slug),
    )
    assert "azure-secret" not in told
    [target] = resolve("azure/gpt-5.4", load_tenant_catalogue(acme), Catalogue()).targets
    assert target.base_url == "https://res.openai.azure.com/openai/v1"
    assert dict(target.headers)["api-key"].reveal() == "azure-secret"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", "--template", "no-such"), "no template"),
        (("x", "--template", "openai"), "Missing: API_KEY"),
        (("x", "--template", "openai", "--set", "ORG"), "NAME=VALUE"),
        (("x", "--template", "openai", "--base-url", "http://h"), "With --template"),
        (("--template", "openai"), "With --template"),
    ],
)
def test_a_template_that_is_not_filled_is_refused_plainly(arguments, told):
    with pytest.raises(CommandError, match=told):
        run("create_provider", *arguments)


def test_the_price_list_command_checks_itself():
    run("write_price_list", "--check")
