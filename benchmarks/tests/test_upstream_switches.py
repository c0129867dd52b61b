"""What a whole server is told to do, and what it tells of itself."""

import asyncio
import subprocess
import sys
import time

import aiohttp
import msgspec
import pytest

from benchmarks.processes import start_upstream

SLOW_ENGINE = ("--plan", "chunks=2,fault=slow,seconds=0.4", "--speed", "4", "--most-at-once", "2")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    url, process = start_upstream(tmp_path_factory.mktemp("plain") / "upstream.log")
    yield url
    process.stop()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    url, process = start_upstream(tmp_path_factory.mktemp("engine") / "upstream.log", options=SLOW_ENGINE)
    yield url
    process.stop()


async def tell(url, path, fields):
    async with aiohttp.ClientSession() as session, session.post(url + path, json=fields) as answer:
        return answer.status, await answer.json()


async def ask(url, headers=None, **body):
    """The status, or the name of what went wrong."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]} | body
    async with aiohttp.ClientSession(headers=headers) as session:
        try:
            async with session.post(f"{url}/v1/chat/completions", json=asked) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError as error:
            return type(error).__name__


async def shown(url, path):
    async with aiohttp.ClientSession() as session, session.get(url + path) as answer:
        return await answer.json()


async def test_a_model_is_down_for_a_while_and_the_others_are_not(plain):
    await tell(plain, "/mock/state", {"model": "m", "down_seconds": 60, "status": 503})
    assert (await ask(plain), await ask(plain, model="other")) == (503, 200)
    assert 59 < (await shown(plain, "/mock/state"))["down"]["m"] <= 60
    await tell(plain, "/mock/state", {"model": "m", "down_seconds": 0})
    assert await ask(plain) == 200


async def test_a_server_is_down_for_everybody_until_its_time_is_over(plain):
    await tell(plain, "/mock/state", {"down_seconds": 0.3, "fault": "reset"})
    assert await ask(plain, model="mock-429") == "ClientOSError"
    await until(ask, plain, lambda status: status == 200)


async def until(asking, *arguments):
    """Asks until the last argument is true of the answer."""
    *where, wanted = arguments
    for _ in range(250):
        if wanted(await asking(*where)):
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never came")


async def test_a_servers_own_plan_is_overruled_by_a_request(plain):
    await tell(plain, "/mock/plan", {"fault": "status", "status": 529})
    assert (await ask(plain), await ask(plain, model="mock-none")) == (529, 200)
    assert await shown(plain, "/mock/plan") == {"fault": "status", "status": 529}
    await tell(plain, "/mock/plan", {})
    assert await ask(plain) == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/mock/plan", {"fault": "nonsense"}),
        ("/mock/plan", {"pase": 1}),
        ("/mock/state", {"status": 503}),
        ("/mock/state", {"down_seconds": 1, "fault": "nonsense"}),
    ],
)
async def test_what_does_not_exist_is_refused(plain, path, fields):
    assert (await tell(plain, path, fields))[0] == 400
    assert await ask(plain) == 200


async def test_the_journal_tells_attempts_and_credentials_apart(plain):
    async with aiohttp.ClientSession() as session:
        await session.delete(f"{plain}/mock/journal")
    for credential, attempt in (("one", "1"), ("one", "2"), ("two", "3")):
        await ask(plain, {"authorization": f"Bearer {credential}-secret", "x-orchestrator-attempt": attempt})
    await until(shown, plain, "/mock/journal", lambda journal: all(one["ended"] for one in journal["requests"]))
    requests = (await shown(plain, "/mock/journal"))["requests"]
    received = [request["received"] for request in requests]
    first, second, third = (one["credential"] for one in received)
    assert first == second != third
    assert [one["attempt"] for one in received] == [1, 2, 3]
    assert [request["ended"]["outcome"] for request in requests] == ["completed"] * 3
    assert "secret" not in msgspec.json.encode(requests).decode()


async def test_an_engine_that_is_full_makes_others_wait(engine):
    started = time.monotonic()
    assert await asyncio.gather(*(ask(engine) for _ in range(6))) == [200] * 6
    took = time.monotonic() - started
    state = await shown(engine, "/mock/state")
    assert state["most_seen_answering"] == 2
    assert (state["answering"], state["waiting"]) == (0, 0)
    # Three turns of 0.1 seconds, four times as fast as the plan says.
    assert 0.3 <= took < 0.4 * 3


async def test_who_leaves_while_waiting_takes_no_place(engine):
    async with aiohttp.ClientSession() as session:
        waiting = [
            asyncio.ensure_future(session.post(f"{engine}/v1/chat/completions", json={"model": "m"})) for _ in range(6)
        ]
        await until(shown, engine, "/mock/state", lambda state: state["waiting"] == 4)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await until(shown, engine, "/mock/state", lambda state: not state["waiting"])
    assert await ask(engine) == 200


@pytest.mark.parametrize("wrong", [("--plan", "fault"), ("--plan", "fault=nonsense"), ("--speed", "0")])
def test_a_wrong_option_ends_the_start(wrong):
    command = [sys.executable, "-m", "benchmarks.upstream", *wrong]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 2
    assert wrong[0] in ran.stderr
