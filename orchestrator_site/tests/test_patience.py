"""Nobody waits for Django for ever."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async

from orchestrator_site.asgi_messages import answer_json
from orchestrator_site.patience import Patience
from orchestrator_site.tests.asgi_caller import ask


@dataclass
class Frozen:
    application: Any
    thaw: threading.Event
    finished: list[str]


@pytest.fixture
def frozen():
    """An application whose thread hangs, as in a database that is frozen."""
    thaw = threading.Event()
    finished = []

    async def application(scope, receive, send):
        async with ThreadSensitiveContext():
            if scope["path"] == "/hangs":
                await sync_to_async(thaw.wait)()
            await answer_json(send, 200, {"path": scope["path"]})
            finished.append(scope["path"])

    yield Frozen(application, thaw, finished)
    thaw.set()


async def test_an_answer_that_does_not_come_is_given_up_and_the_others_come(frozen):
    patient = Patience(frozen.application, seconds=0.2)
    overdue = asyncio.create_task(ask(patient, "/hangs"))
    assert (await ask(patient, "/works")).json() == {"path": "/works"}
    given_up = await asyncio.wait_for(overdue, 10)
    assert given_up.status == 503
    assert given_up.headers["retry-after"] == "5"
    assert given_up.json()["error"]["code"] == "unavailable"
    # What comes too late goes nowhere, and leaves nothing behind.
    frozen.thaw.set()
    await asyncio.wait(patient._left, timeout=10)
    assert frozen.finished == ["/works", "/hangs"]
    await asyncio.sleep(0)
    assert not patient._left


async def test_a_failure_in_time_is_the_observers():
    async def fails(scope, receive, send):
        raise LookupError("no")

    with pytest.raises(LookupError):
        await ask(Patience(fails, seconds=5), "/")
