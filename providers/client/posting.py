"""Posting a message to a URL that somebody else chose. Control plane: no redirect, and nothing of the answer's body."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from providers.client.pinned import pinned_client
from providers.client.pool import Places
from providers.egress.policy import AddressRefused, Scope
from providers.wire.faults import retry_after


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of it: a `status`, or an `error`, which never holds an address or the other side's words.

    `error`: timeout, unreachable, address_refused; empty where there is a status. `retry_after` is seconds.
    """

    duration_ms: int
    status: int | None = None
    error: str = ""
    retry_after: float | None = None


async def post(
    url: str, headers: Mapping[str, str], body: bytes, places: Places, scope: Scope, *, seconds: float
) -> Posted:
    """POSTs `body` within `seconds` for everything. Never raises for what the other side does."""
    began = time.perf_counter()
    status, error, wait = None, "", None
    try:
        async with (
            asyncio.timeout(seconds),
            pinned_client(places, scope, seconds=seconds) as client,
            client.stream("POST", url, headers=dict(headers), content=body) as answer,
        ):
            status, wait = answer.status_code, retry_after(answer.headers)
    except (TimeoutError, httpx2.TimeoutException):
        error = "timeout"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as failure:
        # The transport raises its ConnectError while it refuses the address.
        error = "address_refused" if isinstance(failure.__context__, AddressRefused) else "unreachable"
    return Posted(round((time.perf_counter() - began) * 1000), status, error, wait)
