"""Completions asked for one by one, each with a plan for the upstream, and what a client makes of the answers.

A plan travels in the field that names the end user, which every dialect has and every wire passes on.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

Dialect = Literal["chat", "messages", "responses"]
Seen = Literal["whole", "error", "both", "no_end", "broken", "late"]
PATHS: Mapping[Dialect, str] = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}
GIVE_UP_SECONDS = 60.0
Event = dict[str, Any]
DONE: Event = {"type": "[DONE]"}


@dataclass(frozen=True, slots=True)
class Question:
    model: str
    plan: Mapping[str, Any]
    stream: bool = True
    dialect: Dialect = "chat"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        words = "Answer in plain words, and count along. " * 5
        asked: dict[str, Any] = {"model": self.model, "stream": self.stream}
        if self.dialect == "responses":
            asked |= {"input": words, "user": json.dumps(self.plan)}
        elif self.dialect == "messages":
            asked |= {"max_tokens": 2000, "metadata": {"user_id": json.dumps(self.plan)}}
        else:
            asked |= {"user": json.dumps(self.plan)}
        if self.dialect != "responses":
            asked["messages"] = [{"role": "user", "content": words}]
        return json.dumps(asked).encode()


@dataclass(slots=True)
class Heard:
    """What came of a question. `whole`: what its dialect ends a complete answer with, a 200 without streaming.
    `error`: an error, alone or within the stream; `both`: the mark of a complete answer in spite of an error;
    `no_end`: a stream that ended cleanly with neither; `broken`: the connection broke; `late`: given up.

    Times are Unix times; `first_at` that of the first text, 0 without one.
    """

    status: int = 0
    request_id: str = ""
    text: str = ""
    seen: Seen = "broken"
    code: str = ""
    answered_by: str = ""
    asked_at: float = 0.0
    first_at: float = 0.0
    ended_at: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended_at - self.asked_at


class Asker:
    """`async with Asker(base_url, api_key) as asker: heard = await asker.ask(question)`.

    Without `keep_alive` each question has a connection of its own, so that it may come to any web worker.
    """

    def __init__(self, base_url: str, api_key: str, *, keep_alive: bool = True) -> None:
        self._base_url = base_url
        self._keep_alive = keep_alive
        self._headers = {
            "authorization": f"Bearer {api_key}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
        }

    async def __aenter__(self) -> "Asker":
        connector = aiohttp.TCPConnector(limit=0, force_close=not self._keep_alive)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self, question: Question) -> Heard:
        """Raises nothing for what may become of an answer: it is in what was heard."""
        heard = Heard(asked_at=time.time())
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                await self._hear(question, heard)
        except TimeoutError:
            heard.seen = "late"
        except (aiohttp.ClientError, ConnectionError):
            heard.seen = "broken"
        heard.ended_at = time.time()
        return heard

    async def _hear(self, question: Question, heard: Heard) -> None:
        url, headers = self._base_url + PATHS[question.dialect], {**self._headers, **question.headers}
        async with self._session.post(url, data=question.body, headers=headers) as answer:
            heard.status = answer.status
            heard.request_id = answer.headers.get("x-request-id", "")
            heard.answered_by = answer.headers.get("x-orchestrator-model", "")
            if answer.status != 200:
                heard.seen, heard.code = "error", code_of(json.loads(await answer.read()))
            elif question.stream:
                await hear_stream(answer, question.dialect, heard)
            else:
                heard.text = WHOLE[question.dialect](json.loads(await answer.read()))
                heard.seen, heard.first_at = "whole", time.time()


async def hear_stream(answer: aiohttp.ClientResponse, dialect: Dialect, heard: Heard) -> None:
    ended = failed = False
    async for line in answer.content:
        if not line.startswith(b"data: "):
            continue
        event = DONE if line.startswith(b"data: [DONE]") else json.loads(line[6:])
        if text := TEXTS[dialect](event):
            heard.first_at = heard.first_at or time.time()
            heard.text += text
        ended = ended or event.get("type") in ("[DONE]", "message_stop", "response.completed")
        if event.get("error") or event.get("type") in ("error", "response.failed", "response.incomplete"):
            failed, heard.code = True, code_of(event)
    heard.seen = ("both" if ended else "error") if failed else ("whole" if ended else "no_end")


def code_of(body: Event) -> str:
    error = body.get("error") or (body.get("response") or {}).get("error") or body
    return str(error.get("code") or error.get("type"))


def chat_text(event: Event) -> str:
    choices = event.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")


def messages_text(event: Event) -> str:
    return str((event.get("delta") or {}).get("text") or "")


def responses_text(event: Event) -> str:
    return str(event["delta"]) if event.get("type") == "response.output_text.delta" else ""


def text_of_output(body: Event) -> str:
    return "".join(part.get("text", "") for item in body["output"] for part in item.get("content", ()))


TEXTS: Mapping[Dialect, Callable[[Event], str]] = {
    "chat": chat_text,
    "messages": messages_text,
    "responses": responses_text,
}
WHOLE: Mapping[Dialect, Callable[[Event], str]] = {
    "chat": lambda body: str(body["choices"][0]["message"]["content"]),
    "messages": lambda body: "".join(block.get("text", "") for block in body["content"]),
    "responses": text_of_output,
}
