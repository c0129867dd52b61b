"""`python -m benchmarks.soak.probe '{"tenants": 50, "reads": 20000, "seed": 2, "failing_share": 0.02}'`

Reads of many tenants at once, in the platform's own web settings with a pool of one, while binding statements fail.
Every answer is searched for marks: its own tenant's must be there, any other is a foreign row. Prints counts as JSON.
"""

import asyncio
import itertools
import json
import logging
import random
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import django
import httpx2

django.setup()

from benchmarks.soak.cast import Player, make_players  # noqa: E402
from benchmarks.soak.failing_sets import FailingSets  # noqa: E402

# The platform's own: what is on trial.
from billing.models import Settlement  # noqa: E402
from orchestrator_site.asgi import application  # noqa: E402
from providers.models import OfferedModel, Provider  # noqa: E402
from tenants.config_version import raise_version  # noqa: E402
from tenants.door import tenant_db  # noqa: E402
from tenants.models import ApiKey  # noqa: E402

IN_FLIGHT = 32
MARK = re.compile(r"mark\d{3}")
BASE_URL = "http://127.0.0.1"

Read = Callable[[Player, httpx2.AsyncClient], Awaitable[str]]


class ReadFailed(Exception):
    """The platform answered with an error: allowed while SETs fail, and never foreign."""


async def own_schema(player: Player, client: httpx2.AsyncClient) -> str:
    return str(await tenant_db(player.tenant, lambda: list(Provider.objects.values_list("name", flat=True))))


async def own_schema_joined(player: Player, client: httpx2.AsyncClient) -> str:
    names = OfferedModel.objects.values_list("name", "provider__name")
    return str(await tenant_db(player.tenant, lambda: list(names.all())))


async def bound_rows(player: Player, client: httpx2.AsyncClient) -> str:
    return str(await tenant_db(player.tenant, lambda: list(Settlement.objects.values_list("model", flat=True))))


async def bound_keys(player: Player, client: httpx2.AsyncClient) -> str:
    return str(await tenant_db(player.tenant, lambda: list(ApiKey.objects.values_list("name", flat=True))))


async def models_api(player: Player, client: httpx2.AsyncClient) -> str:
    """Answered from the gateway's cache of each tenant's configuration."""
    return await get(player, client, "/v1/models")


async def usage_api(player: Player, client: httpx2.AsyncClient) -> str:
    return await get(player, client, "/v1/usage?group_by=model")


async def reload(player: Player, client: httpx2.AsyncClient) -> str:
    """Outdates the cached configuration, and reads it again."""
    await tenant_db(player.tenant, raise_version, player.tenant.id)
    return await models_api(player, client)


async def get(player: Player, client: httpx2.AsyncClient, path: str) -> str:
    answer = await client.get(path, headers={"authorization": f"Bearer {player.api_key}"})
    if answer.status_code != 200:
        raise ReadFailed(f"{answer.status_code}")
    return answer.text


READS: dict[str, tuple[Read, int]] = {
    "ORM, tenant schema": (own_schema, 3),
    "ORM, tenant schema joined": (own_schema_joined, 2),
    "ORM, ledger under row security": (bound_rows, 3),
    "ORM, keys under row security": (bound_keys, 2),
    "API and cache, models": (models_api, 3),
    "API, usage": (usage_api, 2),
    "API and cache, models after a change": (reload, 1),
}


class Tally:
    """What the reads showed."""

    def __init__(self) -> None:
        self.own = self.empty = self.foreign = 0
        self.kinds: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.examples: list[str] = []

    def judge(self, kind: str, player: Player, text: str) -> None:
        self.kinds[kind] += 1
        marks = set(MARK.findall(text))
        if marks - {player.mark}:
            self.foreign += 1
            self.examples = [*self.examples, f"{kind} of {player.mark} showed {sorted(marks)}"][:5]
        elif marks:
            self.own += 1
        else:
            self.empty += 1


async def probe(players: Sequence[Player], *, reads: int, seed: int, failing_share: float) -> dict[str, Any]:
    chance, tally, started = random.Random(seed), Tally(), time.monotonic()
    names = [name for name, (_, weight) in READS.items() for _ in range(weight)]
    plan = iter([(chance.choice(names), chance.choice(players)) for _ in range(reads)])

    async with running_application() as client:
        with FailingSets(failing_share, seed) as failing:

            async def reader() -> None:
                for kind, player in plan:
                    await one(kind, player, client, tally)
                    if (tally.kinds.total() + tally.errors.total()) % 2000 == 0:
                        print(f"{tally.kinds.total()} reads, {time.monotonic() - started:.0f} s", file=sys.stderr)

            await asyncio.gather(*(reader() for _ in range(IN_FLIGHT)))
    return {**summary(tally), "injected": failing.injected, "control": control(players)}


async def one(kind: str, player: Player, client: httpx2.AsyncClient, tally: Tally) -> None:
    try:
        # Whatever the platform raises is a read that failed closed.
        text = await READS[kind][0](player, client)
    except Exception as error:
        tally.errors[f"{kind}: {type(error).__name__} {error if isinstance(error, ReadFailed) else ''}".strip()] += 1
        return
    tally.judge(kind, player, text)


def summary(tally: Tally) -> dict[str, Any]:
    return {
        "own": tally.own,
        "empty": tally.empty,
        "foreign": tally.foreign,
        "examples": tally.examples,
        "kinds": dict(tally.kinds),
        "errors": dict(tally.errors),
    }


def control(players: Sequence[Player]) -> int:
    """One tenant's rows judged as another's: how many of them were recognised as foreign."""
    tally = Tally()
    for player, other in itertools.pairwise(players):
        tally.judge("control", player, f"['{other.mark}', 'model-{player.mark}']")
    return tally.foreign


@asynccontextmanager
async def running_application() -> AsyncIterator[httpx2.AsyncClient]:
    """The ASGI application with its lifespan, without a socket."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}

    async def live() -> None:
        await application(scope, inbox.get, outbox.put)  # type: ignore[arg-type]

    lifespan = asyncio.create_task(live())
    await inbox.put({"type": "lifespan.startup"})
    began = await asyncio.wait_for(outbox.get(), 30)
    if began["type"] != "lifespan.startup.complete":
        raise RuntimeError(f"the application did not start: {began}")
    transport = httpx2.ASGITransport(application)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, timeout=60) as client:
        yield client
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(lifespan, 60)


def main() -> None:
    parameters = json.loads(sys.argv[1])
    # It tells of every connection that could not be reset, which here is the point.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    players = make_players(parameters.pop("tenants"))
    print(f"{len(players)} tenants made", file=sys.stderr)
    print(json.dumps(asyncio.run(probe(players, **parameters))))


if __name__ == "__main__":
    main()
