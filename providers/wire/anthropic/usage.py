"""Tokens as Anthropic reports them (platform.claude.com/docs/en/api/messages; the `usage` of a message).

Its `input_tokens` counts only what was neither read from the cache nor written to it; ours counts all three.
"""

import msgspec

from providers.wire.shapes import Usage
from providers.wire.tokens import count


class OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class ReportedUsage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None


class Tally:
    """What has been reported so far. Every report of a stream is cumulative, and may leave out what did not change."""

    __slots__ = ("_fresh", "_hour", "_output", "_read", "_thought", "_written")

    def __init__(self) -> None:
        self._fresh = self._read = self._written = self._hour = self._output = self._thought = 0

    def add(self, reported: ReportedUsage) -> Usage:
        """The sum of what is known now."""
        details = reported.output_tokens_details
        self._fresh = max(self._fresh, count(reported.input_tokens))
        self._read = max(self._read, count(reported.cache_read_input_tokens))
        self._written = max(self._written, written(reported))
        self._hour = max(self._hour, written_for_an_hour(reported))
        self._output = max(self._output, count(reported.output_tokens))
        self._thought = max(self._thought, 0 if details is None else count(details.thinking_tokens))
        return Usage(
            input_tokens=self._fresh + self._read + self._written,
            output_tokens=self._output,
            cache_read_tokens=self._read,
            cache_write_tokens=self._written,
            reasoning_tokens=min(self._thought, self._output),
            cache_write_1h_tokens=min(self._hour, self._written),
        )


def written(reported: ReportedUsage) -> int:
    total, parts = count(reported.cache_creation_input_tokens), reported.cache_creation
    if total or parts is None:
        return total
    return count(parts.ephemeral_5m_input_tokens) + count(parts.ephemeral_1h_input_tokens)


def written_for_an_hour(reported: ReportedUsage) -> int:
    """It costs more than what is kept for five minutes (platform.claude.com/docs/en/pricing)."""
    parts = reported.cache_creation
    return 0 if parts is None else count(parts.ephemeral_1h_input_tokens)


def usage_of(reported: ReportedUsage) -> Usage:
    return Tally().add(reported)
