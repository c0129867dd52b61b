"""The demo provider as an ASGI application: `POST /v1/chat/completions` and `GET /v1/models`."""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from orchestrator_site.demo.answers import MODELS, answer
from orchestrator_site.demo.completions import completion, events
from orchestrator_site.demo.requests import Refused, read
from orchestrator_site.demo.sampler import UnsupportedSchema

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024 * 1024
BORN = 1_767_225_600
MODEL_PATH = "/v1/models/"


class DemoProvider:
    """`key` is what callers must bear; `pace` the seconds between two words of a stream."""

    def __init__(self, *, key: str, pace: float) -> None:
        self._key = key
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            self._check_key(scope)
            await self._route(scope, receive, send)
        except Refused as refused:
            await send_json(send, refused.status, refused.body)

    def _check_key(self, scope: Scope) -> None:
        borne = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(borne, b"Bearer " + self._key.encode()):
            raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["method"], scope["path"]:
            case "POST", "/v1/chat/completions":
                await self._complete(receive, send)
            case "GET", "/v1/models":
                await send_json(send, 200, {"object": "list", "data": [model(name) for name in MODELS]})
            case "GET", path if path.startswith(MODEL_PATH):
                await send_json(send, 200, one_model(path.removeprefix(MODEL_PATH)))
            case method, path:
                raise Refused(404, f"Unknown request URL: {method} {path}.", code="unknown_url")

    async def _complete(self, receive: Receive, send: Send) -> None:
        body = read(await read_body(receive))
        try:
            made = answer(body)
        except UnsupportedSchema as error:
            raise Refused(
                400, f"Invalid schema: {error}", code="invalid_json_schema", param="response_format"
            ) from None
        if not body.get("stream"):
            await send_json(send, 200, completion(body, made))
            return
        await self._stream(receive, send, map(sse, events(body, made)))

    async def _stream(self, receive: Receive, send: Send, lines: Any) -> None:
        """Word after word at the pace, until the caller has gone."""
        await send(start(200, b"text/event-stream; charset=utf-8"))
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            for line in lines:
                await send({"type": "http.response.body", "body": line, "more_body": True})
                await asyncio.wait([gone], timeout=self._pace)
                if gone.done():
                    return
            await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        finally:
            gone.cancel()


async def read_body(receive: Receive) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The request was cut short.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise Refused(413, "The request is too large.")
    return b"".join(chunks)


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def one_model(name: str) -> dict[str, Any]:
    if name not in MODELS:
        raise Refused(404, f"The model `{name}` does not exist.", code="model_not_found", param="model")
    return model(name)


def model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": BORN, "owned_by": "demo"}


def sse(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def start(status: int, content_type: bytes) -> Message:
    headers = [(b"content-type", content_type), (b"x-request-id", f"req_{secrets.token_hex(12)}".encode())]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def send_json(send: Send, status: int, body: dict[str, Any]) -> None:
    await send(start(status, b"application/json"))
    await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})
