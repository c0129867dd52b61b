"""Prompts that ask for one thing each, and a target to build them for."""

from typing import Any

import msgspec

from providers.wire.neutral import Message, Part, Prompt, Text, Tool
from providers.wire.ports import Wire
from providers.wire.shapes import Quirks, Secret, Target

ASKED = Message(role="user", parts=(Text(text="Hello"),))
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')
WEATHER = Tool(name="get_weather", description="Now", parameters=SCHEMA)


def target_of(model: str, base_url: str, *, drop: bool = False, quirks: Quirks | None = None) -> Target:
    return Target(
        provider="p",
        provider_scope="tenant",
        wire="",
        base_url=base_url,
        model=model,
        headers=(("x-key", Secret("s")),),
        price=None,
        quirks=quirks or Quirks(),
        drop_params=drop,
    )


def prompt(*parts: Part, **asked: Any) -> Prompt:
    """One message of the user, after which `asked` are the prompt's other fields."""
    messages = asked.pop("messages", (ASKED,))
    return Prompt(messages=(Message(role="user", parts=parts),) if parts else messages, **asked)


def body_of(wire: Wire, asked: Prompt, target: Target) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(wire.build_prompt(asked, target, stream=False).body)
    return decoded
