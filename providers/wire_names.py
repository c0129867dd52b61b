"""The wire formats that a provider may be said to speak."""

from typing import Final

BUILT_IN_WIRES: Final = ("openai", "anthropic", "gemini", "ollama", "custom")


def wire_names() -> tuple[str, ...]:
    return BUILT_IN_WIRES
