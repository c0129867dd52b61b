"""Whether the platform does its job: `/ready` answers 200 and a completion succeeds."""

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.place import Place

PATIENCE_SECONDS = 90.0
MODEL = "demo/demo-chat"


async def until_ready(place: Place) -> dict[str, Any]:
    """The demo data, once everything works. Raises SupervisorError when that does not come about."""
    demo: dict[str, Any] = json.loads(place.demo_file.read_text())
    last = "nobody answers"
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while last:
                last = await asyncio.to_thread(trouble, place.probe_url, demo["tenants"][0]["api_key"])
                await asyncio.sleep(0.1 if last else 0)
    except TimeoutError:
        raise SupervisorError(f"The platform is not ready after {PATIENCE_SECONDS:g} s: {last}") from None
    return demo


def trouble(url: str, key: str) -> str:
    """What keeps it from being ready; empty for nothing."""
    try:
        ask(f"{url}/ready")
        ask(f"{url}/v1/chat/completions", key, {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]})
    except urllib.error.HTTPError as error:
        return f"{error.url} answers {error.code}: {error.read(500).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {error}"
    return ""


def ask(url: str, key: str = "", body: dict[str, Any] | None = None) -> None:
    """Returns for a 2xx; raises what urllib raises otherwise."""
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(url, content, headers)  # noqa: S310 (the address is our own)
    # Our own address is not a proxy's business.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        answer.read()
