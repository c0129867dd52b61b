"""What to call, as the very bytes that go onto the socket."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATH = "/v1/chat/completions"


class LoadFailed(RuntimeError):
    """An answer was not the one expected: a figure measured on errors would be a lie."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, of chat completions unless another is named, and the one body that is sent to it.

    `base_url` is without /v1.
    """

    base_url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    path: str = PATH

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.base_url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @property
    def all_headers(self) -> dict[str, str]:
        return {"Host": "{}:{}".format(*self.address), "content-type": "application/json", **self.headers}

    @property
    def request(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.all_headers.items())]
        return "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""]).encode() + self.body


def chat_body(model: str, **fields: Any) -> bytes:
    """A completion of an everyday size: a system prompt and a question, about 400 bytes."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant. Answer in one paragraph, in plain words. " * 2},
        {"role": "user", "content": "What does a gateway in front of several providers have to get right, and why?"},
    ]
    return json.dumps({"model": model, "messages": messages, "temperature": 0.2, **fields}).encode()


def messages_body(model: str) -> bytes:
    """The same question in Anthropic's words."""
    asked = json.loads(chat_body(model))
    system, *messages = asked.pop("messages")
    return json.dumps({**asked, "system": system["content"], "messages": messages, "max_tokens": 500}).encode()
