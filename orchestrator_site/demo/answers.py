"""What the demo models say: pure, the same answer for the same request, never passing for a real model's."""

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any

from orchestrator_site.demo import tokens
from orchestrator_site.demo.sampler import sample

MODELS = ("demo-chat", "demo-mini")
QUOTED_LETTERS = 200
MOST_WORDS = 20_000
ASKS_FOR_A_TOOL = re.compile(r"\b(tools?|functions?)\b", re.IGNORECASE)
ASKS_FOR_WORDS = re.compile(r"\b(\d{1,6}) words\b", re.IGNORECASE)
FILLER = ("one", "more", "plain", "demo", "word", "after", "another")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice: text, or calls of tools; `finish_reason` in OpenAI's words."""

    text: str
    finish_reason: str
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def tokens(self) -> int:
        return tokens.count(self.text) + sum(tokens.count(call.name + call.arguments) for call in self.tool_calls)


def answer(body: dict[str, Any]) -> Answer:
    """Raises UnsupportedSchema for a tool or format that the sampler cannot fill."""
    calls = tool_calls(body)
    if calls:
        return Answer("", "tool_calls", calls)
    return cut(formatted(body) or prose(body), body)


def tool_calls(body: dict[str, Any]) -> tuple[ToolCall, ...]:
    """The calls the caller forces, or that the last message names or asks for."""
    chosen = chosen_tools(body)
    if body.get("parallel_tool_calls") is False:
        chosen = chosen[:1]
    return tuple(
        ToolCall(tool["name"], json.dumps(sample(tool.get("parameters") or {"type": "object"}))) for tool in chosen
    )


def chosen_tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    tools = [tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"]
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        return [tool for tool in tools if tool["name"] == choice.get("function", {}).get("name")]
    if choice == "none" or not tools:
        return []
    said = last_user_text(body).lower() if body["messages"][-1].get("role") != "tool" else ""
    named = [tool for tool in tools if mentions(said, tool["name"].lower())]
    if named:
        return named
    return tools[:1] if choice == "required" or ASKS_FOR_A_TOOL.search(said) else []


def mentions(said: str, name: str) -> bool:
    """`get_weather` is mentioned as itself or as "get weather"."""
    return name in said or name.replace("_", " ") in said


def formatted(body: dict[str, Any]) -> str:
    """JSON text where `response_format` asks for it, else nothing."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(sample(wanted["json_schema"].get("schema", {})))
    if wanted.get("type") == "json_object":
        return json.dumps({"demo": True, "answer": prose(body)}, ensure_ascii=False)
    return ""


def prose(body: dict[str, Any]) -> str:
    said = last_user_text(body)
    asked = ASKS_FOR_WORDS.search(said)
    if asked:
        return many_words(min(int(asked[1]), MOST_WORDS))
    sentences = [
        f"This is a demo answer from {body['model']}; no real model was asked.",
        *quote(said),
        *attachments(body),
        *tool_results(body),
    ]
    if body["model"] == "demo-chat":
        sentences += [turn(body), "Add a provider with a key of your own, and the same request goes to a real model."]
    return " ".join(sentences)


def many_words(count: int) -> str:
    return " ".join(itertools.islice(itertools.cycle(FILLER), count))


def quote(said: str) -> list[str]:
    text = " ".join(said.split())
    shown = text if len(text) <= QUOTED_LETTERS else f"{text[:QUOTED_LETTERS]}…"
    return [f"You wrote: “{shown}”."] if text else []


def attachments(body: dict[str, Any]) -> list[str]:
    kinds = [part.get("type") for part in tokens.parts(last_message(body, "user"))]
    images = kinds.count("image_url")
    others = sum(kind not in ("text", "image_url") for kind in kinds)
    return [
        f"I received {count} {name}{'s' if count > 1 else ''}."
        for count, name in ((images, "image"), (others, "attachment"))
        if count
    ]


def tool_results(body: dict[str, Any]) -> list[str]:
    last = body["messages"][-1]
    return [f"The tool answered: {text_of(last)[:QUOTED_LETTERS]}"] if last.get("role") == "tool" else []


def turn(body: dict[str, Any]) -> str:
    number = sum(message.get("role") == "user" for message in body["messages"])
    return f"It is turn {number} of our conversation."


def cut(text: str, body: dict[str, Any]) -> Answer:
    """The text up to the first stop sequence and no longer than the tokens allowed."""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.split(stop, 1)[0]
    allowed = body.get("max_completion_tokens") or body.get("max_tokens")
    pieces = tokens.split(text)
    if allowed and len(pieces) > allowed:
        return Answer("".join(pieces[:allowed]), "length")
    return Answer(text, "stop")


def last_user_text(body: dict[str, Any]) -> str:
    return text_of(last_message(body, "user"))


def last_message(body: dict[str, Any], role: str) -> dict[str, Any]:
    return next((message for message in reversed(body["messages"]) if message.get("role") == role), {})


def text_of(message: dict[str, Any]) -> str:
    content = {"content": message.get("content")}
    return " ".join(str(part.get("text", "")) for part in tokens.parts(content) if part.get("type") == "text")
