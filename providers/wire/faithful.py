"""Whether an answer that went to its caller byte by byte says more than we can say ourselves.

A vendor's own blocks (a search, citations, sound, custom calls) have no place in what is kept: such an answer could not
be given again whole, so it is not given again at all, nor does another provider go on with it. What is not known here
counts as more.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from providers.wire.shapes import Dialect

DECODE: Final = msgspec.json.Decoder().decode
EMPTY: Final[tuple[object, ...]] = (None, "", [], {})

# Around the choices of a chat completion: what identifies, counts or times it.
CHAT: Final = frozenset(
    (
        *("id", "object", "created", "model", "choices", "usage", "provider"),
        *("system_fingerprint", "service_tier", "x_groq", "timings", "time_info", "obfuscation", "nonce"),
    )
)
MESSAGE: Final = frozenset(
    ("role", "content", "refusal", "tool_calls", "function_call", "reasoning_content", "reasoning", "thinking_blocks")
)
LOGPROBS: Final = frozenset(("content",))
CALL: Final = frozenset(("index", "id", "type", "function", "extra_content"))
TEXTS: Final = ("text", "thinking")

BLOCKS: Final = ("text", "thinking", "redacted_thinking", "tool_use")
DELTAS: Final = ("text_delta", "thinking_delta", "signature_delta", "input_json_delta")


def says_more(dialect: Dialect, part: bytes, *, stream: bool) -> bool:
    """Of a whole answer, or of any lines of a stream."""
    more = more_in_message if dialect == "messages" else more_in_chat
    return is_more(more, part, stream=stream)


def says_more_than_words(dialect: Dialect, events: bytes) -> bool:
    """Of any lines of a stream, whatever stands around the choices in them."""
    more = more_in_message if dialect == "messages" else more_in_choices
    return is_more(more, events, stream=True)


def is_more(more: Callable[[dict[str, Any]], bool], part: bytes, *, stream: bool) -> bool:
    try:
        return any(more(loose) for loose in objects_in(part, stream=stream))
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError, TypeError, RecursionError):
        return True


def objects_in(part: bytes, *, stream: bool) -> Iterator[dict[str, Any]]:
    if not stream:
        yield DECODE(part)
        return
    for line in part.splitlines():
        payload = line[5:].strip() if line.startswith(b"data:") else b""
        if payload and payload != b"[DONE]":
            yield DECODE(payload)


def beyond(loose: dict[str, Any], known: frozenset[str]) -> bool:
    return any(value not in EMPTY for name, value in loose.items() if name not in known)


def more_in_chat(loose: dict[str, Any]) -> bool:
    return beyond(loose, CHAT) or more_in_choices(loose)


def more_in_choices(loose: dict[str, Any]) -> bool:
    return any(more_in_choice(choice) for choice in loose.get("choices") or ())


def more_in_choice(choice: dict[str, Any]) -> bool:
    said = choice.get("delta") or choice.get("message") or {}
    content = said.get("content")
    return (
        beyond(said, MESSAGE)
        or beyond(choice.get("logprobs") or {}, LOGPROBS)
        or (isinstance(content, list) and any(part.get("type") not in TEXTS for part in content))
        or any(beyond(call, CALL) for call in said.get("tool_calls") or ())
    )


def more_in_message(loose: dict[str, Any]) -> bool:
    """Of a message, or of an event of its stream, where blocks and their deltas come one by one."""
    message = loose.get("message") or loose
    opened = loose.get("content_block")
    blocks = [*(message.get("content") or ()), *([opened] if opened else ())]
    delta = loose.get("delta") or {}
    return (
        message.get("container") not in EMPTY
        or delta.get("container") not in EMPTY
        or any(block.get("type") not in BLOCKS or block.get("citations") not in EMPTY for block in blocks)
        or ("type" in delta and delta["type"] not in DELTAS)
    )
