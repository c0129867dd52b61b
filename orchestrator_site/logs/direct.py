"""The shortest way of a line that is written for every completion: 2 µs instead of 27.

For lines that are complete and hold nothing to redact; they look like those of `configuration.as_json`.
"""

import sys
from collections.abc import Callable

import msgspec

ENCODER = msgspec.json.Encoder()

Write = Callable[[msgspec.Struct], None]


def write_json(line: msgspec.Struct) -> None:
    sys.stderr.write(ENCODER.encode(line).decode() + "\n")


def write_nothing(line: msgspec.Struct) -> None:
    """Where the log's level is above the line's."""


def information(level: str, line_format: str) -> Write | None:
    """How lines of level INFO are written; None where they must go the usual way."""
    if level not in ("DEBUG", "INFO"):
        return write_nothing
    return write_json if line_format == "json" else None
