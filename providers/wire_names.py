"""The wire formats that the platform itself speaks."""

from typing import Final

BUILT_IN_WIRES: Final = ("openai", "anthropic", "gemini", "ollama", "custom")
