"""Tokens of a request, counted by the vendor before it is sent
(platform.claude.com/docs/en/api/messages-count-tokens)."""

from collections.abc import Mapping

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.anthropic.errors import error_in_answer
from providers.wire.lenient import read_as

COUNTED = {
    "cache_control", "context_management", "mcp_servers", "messages", "model", "output_config", "speed", "system",
    "thinking", "tool_choice", "tools",
}  # fmt: skip


class Counted(msgspec.Struct):
    input_tokens: int | None = None
    error: msgspec.Raw = msgspec.Raw()


COUNT = msgspec.json.Decoder(Counted)


def countable(fields: Mapping[str, object]) -> dict[str, object]:
    """What of a Messages request is counted; other fields are refused there."""
    return {name: value for name, value in fields.items() if name in COUNTED}


def read_count(body: bytes) -> int:
    """Raises UpstreamGarbled for bytes that hold no count, and the error inside an answer that carries one."""
    counted = read_as(COUNT, body)
    if failure := error_in_answer(counted.error):
        raise failure
    if counted.input_tokens is None or counted.input_tokens < 0:
        raise UpstreamGarbled("The provider's answer holds no count of tokens.")
    return counted.input_tokens
