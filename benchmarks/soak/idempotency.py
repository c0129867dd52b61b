"""Requests that are sent again and again with their key: one execution each, and the same bytes for all, while Redis is
flushed. Two web workers; first many keys, each sent often, then one key sent by a crowd at once."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
import redis.asyncio as redis

from benchmarks.farm import MODEL, farm
from benchmarks.platform import PLAIN, PROVIDER, Platform
from benchmarks.report import Check, Report
from benchmarks.series import Series

Progress = Callable[[str], None]
WORKERS = 2
SENT_EACH = 10
AT_ONCE = 64
FLUSHES = 5
CROWD = 0.1
"""The share of `requests` that come at once, with one key."""
CROWD_SECONDS = 3.0
TRIES = 20
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """What one request was answered; `original` is the request that was done for it."""

    key: str
    status: int
    body: bytes
    original: str
    replayed: bool
    seconds: float


def soak(progress: Progress, *, requests: int = 10_000, seed: int = 7) -> Report:
    with farm(progress, {PROVIDER: ()}, PLAIN, workers=WORKERS) as scene:
        many = asyncio.run(send_all(scene.platform, requests, seed, progress))
        after_many = len(scene.journal(PROVIDER)[0])
        crowd = asyncio.run(send_crowd(scene.platform, int(requests * CROWD), progress))
        after_crowd = len(scene.journal(PROVIDER)[0])
    return Report(
        name="soak-idempotency",
        title="Requests that are sent again",
        parameters={
            "seed": seed,
            "web workers": WORKERS,
            "requests": requests,
            "each sent": SENT_EACH,
            "flushes of Redis": FLUSHES + 1,
            "at once with one key": len(crowd),
        },
        checks=[
            *checks("Sent again and again", many, after_many, keys=requests // SENT_EACH),
            *checks("A crowd at once", crowd, after_crowd - after_many, keys=1),
        ],
        series=[
            Series("platform", name, "ms", [each.seconds * 1000 for each in many if each.replayed == replayed])
            for name, replayed in (("done", False), ("answered again", True))
        ],
    )


async def send_all(platform: Platform, requests: int, seed: int, progress: Progress) -> list[Told]:
    """Every key SENT_EACH times in any order, while Redis is flushed every now and then."""
    order = [number for number in range(requests // SENT_EACH) for _ in range(SENT_EACH)]
    random.Random(seed).shuffle(order)
    flush_at = {len(order) * (number + 1) // (FLUSHES + 1) for number in range(FLUSHES)}
    places = asyncio.Semaphore(AT_ONCE)

    async def one(place: int, number: int) -> Told:
        async with places:
            if place in flush_at:
                progress(f"flush of Redis at request {place}")
                await flush(platform)
            return await send(session, platform, f"soak-{number}", body_of(number))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(one(place, number) for place, number in enumerate(order)))


async def send_crowd(platform: Platform, size: int, progress: Progress) -> list[Told]:
    """All at once, with a flush while the first of them is being done."""

    async def flush_midway() -> None:
        await asyncio.sleep(CROWD_SECONDS / 2)
        progress(f"flush of Redis while {size} wait")
        await flush(platform)

    body = body_of(0, {"fault": "delay", "seconds": CROWD_SECONDS})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        flushing = asyncio.create_task(flush_midway())
        told = await asyncio.gather(*(send(session, platform, "soak-crowd", body) for _ in range(size)))
        await flushing
    return told


async def send(session: aiohttp.ClientSession, platform: Platform, key: str, body: bytes) -> Told:
    """Again where the platform is not ready to answer: that is what the key is for."""
    url = f"{platform.base_url}/v1/chat/completions"
    kind = {"content-type": "application/json", "idempotency-key": key}
    headers = {"authorization": f"Bearer {platform.api_key}", **kind}
    loop = asyncio.get_running_loop()
    for _ in range(TRIES):
        began = loop.time()
        async with session.post(url, data=body, headers=headers) as answer:
            said = await answer.read()
        if answer.status not in (429, 503):
            break
        await asyncio.sleep(PAUSE_SECONDS)
    replayed = "idempotent-replayed" in answer.headers
    original = answer.headers["x-orchestrator-original-request-id" if replayed else "x-request-id"]
    return Told(key, answer.status, said, original, replayed, loop.time() - began)


def body_of(number: int, mock: dict[str, object] | None = None) -> bytes:
    """Every second of them a stream."""
    return json.dumps(
        {
            "model": f"{PROVIDER}/{MODEL}",
            "stream": number % 2 == 1,
            "messages": [{"role": "user", "content": f"Call {number} of the soak."}],
            **({} if mock is None else {"metadata": {"mock": json.dumps(mock)}}),
        }
    ).encode()


async def flush(platform: Platform) -> None:
    async with redis.Redis.from_url(platform.environ["REDIS_URL"]) as connection:
        await connection.flushall()


def checks(name: str, told: Sequence[Told], calls: int, *, keys: int) -> list[Check]:
    failed = [each for each in told if each.status != 200]
    bodies, originals = defaultdict(set), defaultdict(set)
    for each in told:
        bodies[each.key].add(each.body)
        originals[each.key].add(each.original)
    done = sum(not each.replayed for each in told)
    alike = sum(len(bodies[key]) == len(originals[key]) == 1 for key in bodies)
    return [
        Check(f"{name}: every request is answered", f"{len(told) - len(failed)} of {len(told)}", not failed),
        Check(f"{name}: the provider is called once for each key", f"{calls} calls, {keys} keys", calls == keys),
        Check(f"{name}: one request of each key is done", f"{done} done", done == keys),
        Check(f"{name}: the others get its bytes", f"{alike} of {keys} keys", alike == keys == len(bodies)),
    ]
