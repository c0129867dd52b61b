"""The demo provider's own tokens, counted the same way always.

A token is up to four letters or digits of a word, or one other character, together with the white space before it.
A message costs three tokens beside its text, a reply another three, an image 85: the shape of OpenAI's accounting
(cookbook, "How to count tokens"), not its numbers.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

TOKEN = re.compile(r"\s*\w{1,4}|\s*[^\w\s]|\s+")
MESSAGE_TOKENS = 3
REPLY_TOKENS = 3
IMAGE_TOKENS = 85


def split(text: str) -> list[str]:
    """Joined again, the tokens are the text."""
    return TOKEN.findall(text)


def count(text: str) -> int:
    return len(split(text))


def count_prompt(body: dict[str, Any]) -> int:
    """Tokens of a request's messages and tools."""
    messages = sum(MESSAGE_TOKENS + sum(map(count_part, parts(message))) for message in body["messages"])
    tools = body.get("tools") or []
    return messages + REPLY_TOKENS + (count(json.dumps(tools)) if tools else 0)


def parts(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A message's content as typed parts, whichever of the two forms it has; tool calls count as text."""
    content = message.get("content")
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from (part for part in content if isinstance(part, dict))
    for call in message.get("tool_calls") or []:
        yield {"type": "text", "text": json.dumps(call.get("function"))}


def count_part(part: dict[str, Any]) -> int:
    if part.get("type") == "text":
        return count(str(part.get("text", "")))
    return IMAGE_TOKENS


def words(text: str) -> Iterator[str]:
    """The text in pieces of one word each, the white space in front; joined they are the text."""
    piece = ""
    for token in split(text):
        if piece and token[0].isspace():
            yield piece
            piece = ""
        piece += token
    if piece:
        yield piece
