"""What /metrics says moves with what happens: read as a scraper reads it, before and after."""

import asyncio
import json
import secrets

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import start_upstream
from gateway.tests.stage import eventually
from orchestrator_site.tests.asgi_caller import ask, front, opened
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider, delete_provider

pytestmark = pytest.mark.django_db(transaction=True)

# They count what the platform does not do yet.
FOR_LATER = {"conversations"}
INPUT_RATE, OUTPUT_RATE = 2_000_000_000, 8_000_000_000
ROUTE = "/v1/chat/completions"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    url, process = start_upstream(tmp_path_factory.mktemp("upstream") / "log")
    yield url
    process.stop()


@pytest.fixture
def provider(upstream, django_db_setup):
    """The name of a platform provider, which charges, and whose figures nobody else moves."""
    name = f"counted-{secrets.token_hex(4)}"
    provider_id = create_provider(owner=None, name=name, base_url=f"{upstream}/v1")
    offer = ModelOffer(name="plain", input_nano_per_mtok=INPUT_RATE, output_nano_per_mtok=OUTPUT_RATE)
    offer_models(owner=None, provider_id=provider_id, offers=[offer])
    yield name
    delete_provider(owner=None, provider_id=provider_id)


@pytest.fixture
async def application(provider):
    async with opened(front(metrics_token="scrapers-token")) as application:
        yield application


async def scrape(application):
    """The families by name, and the value of a sample by name and labels."""
    answered = await ask(application, "/metrics", headers={"authorization": "Bearer scrapers-token"})
    families = list(text_string_to_metric_families(answered.body.decode()))
    samples = {
        (each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples
    }

    def value(name, **labels):
        return samples.get((name, frozenset(labels.items())), 0.0)

    return {family.name for family in families}, value


async def complete(application, key, model, **fields):
    content = json.dumps({"model": model, "messages": [{"role": "user", "content": "Count me."}], **fields})
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return await ask(application, ROUTE, method="POST", headers=headers, body=content.encode())


async def test_a_completion_moves_every_figure_that_it_should(application, provider, cast):
    samples = {
        "answered": ("http_requests_total", {"method": "POST", "route": ROUTE, "status": "2xx"}),
        "timed": ("http_request_duration_seconds_count", {"route": ROUTE}),
        "whole": ("chat_completions_total", {"provider": provider, "outcome": "completed", "stream": "false"}),
        "streamed": ("chat_completions_total", {"provider": provider, "outcome": "completed", "stream": "true"}),
        "input": ("chat_tokens_total", {"provider": provider, "direction": "input"}),
        "output": ("chat_tokens_total", {"provider": provider, "direction": "output"}),
        "first chunks": ("time_to_first_chunk_seconds_count", {"provider": provider}),
        "overheads": ("gateway_overhead_seconds_count", {}),
        "revenue": ("revenue_total_usd", {}),
    }
    _, before = await scrape(application)
    whole = await complete(application, cast.acme.key, f"{provider}/plain")
    streamed = await complete(application, cast.acme.key, f"{provider}/plain", stream=True)
    assert (whole.status, streamed.status) == (200, 200), (whole.body, streamed.body)
    _, after = await scrape(application)
    grown = {what: after(name, **labels) - before(name, **labels) for what, (name, labels) in samples.items()}
    usage = whole.json()["usage"]
    given, generated = 2 * usage["prompt_tokens"], 2 * usage["completion_tokens"]
    charged = (given * INPUT_RATE + generated * OUTPUT_RATE) / 1e6 / 1e9
    assert charged > 0
    assert grown.pop("revenue") == pytest.approx(charged)
    assert grown == {
        **{"answered": 2, "timed": 2, "whole": 1, "streamed": 1, "first chunks": 2, "overheads": 2},
        **{"input": given, "output": generated},
    }


async def test_a_refusal_is_counted_by_its_class_and_its_code(application, cast):
    def refusals(value):
        return (
            value("http_requests_total", method="POST", route=ROUTE, status="4xx"),
            value("errors_total", code="model_not_found"),
        )

    _, before = await scrape(application)
    assert (await complete(application, cast.acme.key, "nobody/none")).status == 404
    _, after = await scrape(application)
    assert refusals(after) == tuple(count + 1 for count in refusals(before))


async def test_a_stream_is_active_and_its_intent_open_while_it_is_read_and_no_longer(application, provider, cast):
    begun, read_on = asyncio.Event(), asyncio.Event()

    async def read_slowly(scope, receive, send):
        async def send_when_read(message):
            if message["type"] == "http.response.body":
                begun.set()
                await read_on.wait()
            await send(message)

        await application(scope, receive, send_when_read)

    async def active():
        value = (await scrape(application))[1]
        return value("active_streams_current"), value("ledger_open_intents")

    async def shown(expected):
        return await active() == expected

    streams, _ = await active()
    stream = asyncio.create_task(complete(read_slowly, cast.acme.key, f"{provider}/plain", stream=True))
    await asyncio.wait_for(begun.wait(), 10)
    assert (await active())[0] == streams + 1
    assert await eventually(lambda: shown((streams + 1, 1)))
    read_on.set()
    assert (await stream).status == 200
    assert (await active())[0] == streams
    assert await eventually(lambda: shown((streams, 0)))


async def test_what_is_counted_later_and_the_ledgers_queues_are_there(application):
    names, _ = await scrape(application)
    assert {"ledger_queue_rows", "ledger_queue_oldest_seconds"} | FOR_LATER <= names
