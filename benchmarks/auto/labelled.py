"""The labelled prompts, and which of them are held out."""

import functools
import hashlib
from pathlib import Path
from typing import Any

import msgspec

from providers.route_policy import Tier
from providers.wire.registry import SPEECHES
from providers.wire.shapes import ChatRequest, Dialect

PROMPTS = Path(__file__).with_name("prompts.jsonl")
HELD_OUT_OF = 3


class Labelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    tier: Tier
    language: str
    body: dict[str, Any]
    dialect: Dialect = "chat"

    @property
    def held_out(self) -> bool:
        """One of three, by the body's digest: nobody chooses, and what is added moves nothing."""
        digest = hashlib.sha256(msgspec.json.encode(self.body, order="sorted")).digest()
        return int.from_bytes(digest[:8]) % HELD_OUT_OF == 0

    def request(self) -> ChatRequest:
        """As it would come in by the dialect's endpoint."""
        return SPEECHES[self.dialect].parse_request(msgspec.json.encode({"model": "auto", **self.body}))


@functools.cache
def labelled() -> tuple[Labelled, ...]:
    return tuple(msgspec.json.decode(line, type=Labelled) for line in PROMPTS.read_text().splitlines())


def trained_on() -> list[Labelled]:
    return [each for each in labelled() if not each.held_out]


def held_out() -> list[Labelled]:
    return [each for each in labelled() if each.held_out]
