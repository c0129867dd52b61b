"""Reading a request of the Responses API field by field; paths are OpenAI's: `input[0].content[1].image_url`."""

from collections.abc import Mapping
from typing import Final

import msgspec

from providers.wire import places
from providers.wire.places import NULL, OBJECT, TEXT, Kind, missing

Content = str | list[msgspec.Raw]

CONTENT: Final[Kind[Content]] = Kind(msgspec.json.Decoder(Content), "a valid string or a valid list")
LABELS: Final[Kind[dict[str, str]]] = Kind(msgspec.json.Decoder(dict[str, str]), "an object of strings")
SHORT: Final = (None, "", "5m")


class Place(places.Place):
    __slots__ = ()

    def nth(self, name: str, index: int) -> str:
        return f"{self.at(name)}[{index}]"

    def within(self, fields: Mapping[str, msgspec.Raw], name: str) -> "Place":
        return Place(fields, self.at(name), self._losses)

    def kind(self) -> str:
        """The type, which is still there afterwards."""
        if "type" not in self._fields:
            raise missing(self.at("type"))
        return TEXT.read(self._fields["type"], self.at("type"))

    def lose_whole(self) -> None:
        """The object has no place in a prompt."""
        self._losses[self.path] = msgspec.Raw(msgspec.json.encode(self._fields))

    def object_or_none(self, name: str) -> msgspec.Raw | None:
        """An object as the caller wrote it; None where it is absent or null."""
        raw = self._fields.get(name, NULL)
        return None if self.take(name, OBJECT) is None else raw

    def marker(self) -> str:
        """The cache marker after this part: OpenAI's own, or the one that its ecosystem agreed on."""
        for name in ("prompt_cache_breakpoint", "cache_control"):
            if (found := self.child(name)) is not None:
                return "5m" if found.text("ttl") in SHORT else "1h"
        return ""
