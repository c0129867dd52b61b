"""The soak's clients: they send the script's calls, hang up when it says so, and remember what they saw."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Literal

import aiohttp

from benchmarks.soak.script import Call

Seen = Literal["whole", "error", "hung_up", "broken"]
GIVE_UP_SECONDS = 120.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Sight:
    """What a client saw of one call.

    `whole`: an answer to its end. `error`: an error object, alone or within the stream. `hung_up`: it left.
    `broken`: the connection ended before the answer. `chunks` are those with text. `request_id` is empty when no
    header came. `refusals` counts the tries before this one that were turned away undispatched.
    """

    call: int
    seen: Seen
    status: int
    request_id: str
    chunks: int
    refusals: int
    ended_at: float


class Refused(Exception):
    """Nothing was dispatched: the platform was down or said 503, in these words. To be tried again."""


class Clients:
    """Send calls, each on a connection that is kept for the next."""

    def __init__(self, base_url: str, api_key: str, model: str) -> None:
        self._url = f"{base_url}/v1/chat/completions"
        self._headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
        self._model = model

    async def __aenter__(self) -> "Clients":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=90, connect=5)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def make(self, call: Call) -> Sight:
        """Tries until the platform takes the call on; what happens from then on is final."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        refusals = 0
        while True:
            try:
                return await self.attempt(call, refusals)
            except Refused:
                refusals += 1
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)

    async def attempt(self, call: Call, refusals: int) -> Sight:
        view = View(call, refusals)
        try:
            if call.abort == "before_answer":
                async with asyncio.timeout(call.abort_seconds):
                    await self.read(view)
            else:
                await self.read(view)
        except TimeoutError:
            return view.sight("hung_up" if call.abort == "before_answer" else "broken")
        except aiohttp.ClientConnectorError as error:
            raise Refused(str(error)) from None
        except (aiohttp.ClientError, ConnectionError):
            return view.sight("broken")
        return view.sight(view.seen)

    async def read(self, view: "View") -> None:
        async with self._session.post(self._url, data=body_of(view.call, self._model), headers=self._headers) as answer:
            view.status = answer.status
            view.request_id = answer.headers.get("x-request-id", "")
            if answer.status == 503 and (body := await answer.text()):
                raise Refused(body)
            if not view.call.stream or answer.status != 200:
                text = await answer.read()
                view.seen = "whole" if answer.status == 200 and b'"choices"' in text else "error"
                return
            await self.read_stream(answer, view)

    async def read_stream(self, answer: aiohttp.ClientResponse, view: "View") -> None:
        async for line in answer.content:
            if line.startswith(b"data: [DONE]") and view.seen != "error":
                view.seen = "whole"
            elif line.startswith(b'data: {"error"'):
                view.seen = "error"
            elif b'"content":"' in line:
                view.chunks += 1
                if view.call.abort == "midway" and view.chunks >= view.call.abort_after:
                    view.seen = "hung_up"
                    answer.close()
                    return


class View:
    """What has been seen so far."""

    def __init__(self, call: Call, refusals: int) -> None:
        self.call = call
        self.refusals = refusals
        self.seen: Seen = "broken"
        self.status = 0
        self.request_id = ""
        self.chunks = 0

    def sight(self, seen: Seen) -> Sight:
        return Sight(
            self.call.number, seen, self.status, self.request_id, self.chunks, self.refusals, ended_at=time.time()
        )


def body_of(call: Call, model: str) -> bytes:
    body = {
        "model": model,
        "stream": call.stream,
        "messages": [{"role": "user", "content": f"Call {call.number} of the soak. " + "Count along. " * 20}],
        "metadata": {"mock": json.dumps(call.instructions)},
    }
    if call.stream and call.include_usage:
        body["stream_options"] = {"include_usage": True}
    return json.dumps(body).encode()
