"""A small ASGI application for the tests of the web process: its readiness, its process, and a slow answer."""

import asyncio
import os

from orchestrator_site.draining import is_draining


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    match scope["path"]:
        case "/ready":
            await answer(send, 503 if is_draining() else 200, b"")
        case "/slow":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(10):
                await send({"type": "http.response.body", "body": b"word ", "more_body": True})
                await asyncio.sleep(0.1)
            await send({"type": "http.response.body", "body": b"end"})
        case _:
            await answer(send, 200, f"{os.getpid()} {scope['client'][0]} {scope['scheme']}".encode())


async def live(receive, send):
    for answer in ("startup", "shutdown"):
        await receive()
        if answer == "shutdown":
            print("closed cleanly", flush=True)  # noqa: T201 (the test reads it)
        await send({"type": f"lifespan.{answer}.complete"})


async def answer(send, status, body):
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})
