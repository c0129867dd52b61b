"""Asking a provider whether it is there. Control plane: seldom, in short time, never on the way of a completion."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import httpx2

from providers.client.pinned import pinned_client
from providers.client.pool import Places
from providers.egress.policy import Scope
from providers.wire.shapes import Secret

DEADLINE_SECONDS: Final = 5.0
# Not every vendor lists its models; that one answers at all is what is asked. A refused key is a failure all the same.
REFUSED: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class Probed:
    """`error` is empty for a provider that works; it never holds an address or a vendor's text."""

    latency_ms: float
    error: str


async def probe(url: str, headers: tuple[tuple[str, Secret], ...], places: Places, scope: Scope) -> Probed:
    """GET where models are listed (`wire.model_list`), which costs nothing; of the answer, its status alone."""
    began = time.perf_counter()
    try:
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            pinned_client(places, scope, seconds=DEADLINE_SECONDS) as client,
            client.stream("GET", url, headers=[(name, value.reveal()) for name, value in headers]) as answer,
        ):
            error = error_of(answer.status_code)
    except (TimeoutError, httpx2.TimeoutException):
        error = "timeout"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        error = "unreachable"
    return Probed(round((time.perf_counter() - began) * 1000, 1), error)


def error_of(status: int) -> str:
    if status in REFUSED:
        return "credential_refused"
    return "server_error" if status >= 500 else ""
