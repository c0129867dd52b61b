"""Wire formats by name."""

from typing import Protocol

from providers.wire.openai.adapter import OpenAIWire
from providers.wire.shapes import Secret, WireAdapter


class Wire(WireAdapter, Protocol):
    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        """How a credential is shown to the vendor."""
        ...


WIRES: dict[str, Wire] = {wire.name: wire for wire in (OpenAIWire(),)}


def adapter(name: str) -> Wire:
    """Raises LookupError for a wire that is not spoken here."""
    try:
        return WIRES[name]
    except KeyError:
        raise LookupError(f"no wire format is called {name!r}; there are {', '.join(sorted(WIRES))}") from None
