"""What vendors really reported, cached and thinking tokens included, through every dialect: settled exactly, by hand.

A server on loopback plays recorded exchanges of each vendor, whole or streamed as it is asked.
"""

import contextlib
from itertools import product
from pathlib import Path
from typing import Any

from aiohttp import web

import providers
from gateway.tests.conftest import settlements
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from tenants import database_threads
from tenants.tests.cast import new_tenant

RECORDED = Path(providers.__file__).parent / "tests" / "recorded"
RATES = {"input": 3_000_000_001, "output": 15_000_000_007, "cache_read": 300_000_003, "cache_write": 3_750_000_001}
# Wire: recording, then its tokens by hand: input in all, output in all, read from and written to cache, thought.
PLAYED = {
    "anthropic": ("anthropic/thinking", (189_131, 312, 1024, 188_086, 240)),
    "gemini": ("gemini/text", (1312, 9, 1024, 0, 0)),
    "openai": ("openai/openai_text", (1312, 14, 1024, 0, 0)),
}
ASKED: dict[str, dict[str, Any]] = {
    "/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/responses": {"input": "Hi", "store": False},
    "/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100},
    "/completions": {"prompt": "Hi"},
}


async def play(request):
    """By the path that each vendor's API has."""
    wire = next(wire for wire in PLAYED if f"/{wire}/" in request.path)
    asked = await request.json()
    recording = RECORDED / PLAYED[wire][0]
    if asked.get("stream") or "streamGenerateContent" in request.path:
        return web.Response(body=recording.with_suffix(".sse").read_bytes(), content_type="text/event-stream")
    return web.Response(body=recording.with_suffix(".json").read_bytes(), content_type="application/json")


@contextlib.asynccontextmanager
async def vendors():
    application = web.Application()
    application.router.add_post("/{rest:.*}", play)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


def a_tenant_of(url):
    made = new_tenant("recorded")
    rates: dict[str, Any] = {f"{name}_nano_per_mtok": rate for name, rate in RATES.items()}
    for wire in PLAYED:
        provider = create_provider(owner=made.tenant, name=wire, wire=wire, base_url=f"{url}/{wire}/v1")
        offer_models(owner=made.tenant, provider_id=provider, offers=[ModelOffer(name="model", **rates)])
    return made


def by_hand(tokens):
    given, generated, read, written, _ = tokens
    plain = given - read - written
    exact = plain * RATES["input"] + read * RATES["cache_read"] + written * RATES["cache_write"]
    whole, rest = divmod(exact + generated * RATES["output"], 1_000_000)
    return whole + (rest > 500_000 or (rest == 500_000 and whole % 2))


async def test_tokens_of_every_kind_are_settled_to_the_nano_dollar_through_every_dialect(gateway):
    async with vendors() as url:
        tenant = await database_threads.run(lambda _: a_tenant_of(url), 30)
        for (wire, (_, tokens)), (path, fields), stream in product(PLAYED.items(), ASKED.items(), (False, True)):
            asked = {"model": f"{wire}/model", "stream": stream, **fields}
            headers = {"authorization": f"Bearer {tenant.key}"}
            async with gateway.session.post(f"{gateway.url}{path}", json=asked, headers=headers) as answer:
                told = await answer.read()
                assert answer.status == 200, (wire, path, stream, told)
            [row] = await settlements(gateway, answer.headers["x-request-id"])
            seen = (
                *(row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]),
                *(row["cache_write_tokens"], row["reasoning_tokens"]),
            )
            assert (seen, row["outcome"], row["usage_source"]) == (tokens, "completed", "provider"), (wire, path)
            assert row["cost_nano"] == by_hand(tokens) > 0
