"""Reading a request place by place: what stands there, what is wrong with it, and what nobody read.

Errors are in Anthropic's words and paths (`messages.0.content.1.source.type`); a dialect with other paths says so by
`Place.nth`. (platform.claude.com/docs/en/api/messages, platform.claude.com/docs/en/api/errors)
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, Self, TypeVar

import msgspec

from common.errors import InvalidRequest

T = TypeVar("T")
NULL: Final = msgspec.Raw(b"null")
LONGEST_NOTHING: Final = 64


class Kind(Generic[T]):
    """A kind of JSON value and its name in an error."""

    __slots__ = ("_decoder", "_words")

    def __init__(self, decoder: "msgspec.json.Decoder[T]", words: str) -> None:
        self._decoder = decoder
        self._words = words

    def read(self, raw: msgspec.Raw, path: str) -> T:
        """Raises InvalidRequest naming `path`."""
        try:
            return self._decoder.decode(raw)
        except msgspec.DecodeError:
            raise wrong_kind(path, self._words) from None


TEXT: Final = Kind(msgspec.json.Decoder(str), "a valid string")
FLAG: Final = Kind(msgspec.json.Decoder(bool), "a valid boolean")
WHOLE: Final = Kind(msgspec.json.Decoder(int), "a valid integer")
NUMBER: Final = Kind(msgspec.json.Decoder(float), "a valid number")
TEXTS: Final[Kind[list[str]]] = Kind(msgspec.json.Decoder(list[str]), "a valid list of strings")
OBJECT: Final[Kind[dict[str, msgspec.Raw]]] = Kind(msgspec.json.Decoder(dict[str, msgspec.Raw]), "an object")
ITEMS: Final[Kind[list[msgspec.Raw]]] = Kind(msgspec.json.Decoder(list[msgspec.Raw]), "a valid list")


class Place:
    """One object of a request, read field by field. `losses` gets, by their paths, the fields that nobody read."""

    __slots__ = ("_fields", "_losses", "path")

    def __init__(self, fields: Mapping[str, msgspec.Raw], path: str, losses: dict[str, msgspec.Raw]) -> None:
        self._fields = dict(fields)
        self._losses = losses
        self.path = path

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return self._fields.get(name, NULL) != NULL

    def is_empty(self, name: str) -> bool:
        """Whether the field is an empty string or list."""
        raw = self._fields.get(name, NULL)
        return len(memoryview(raw)) < LONGEST_NOTHING and loose(raw) in ("", [])

    def take(self, name: str, kind: Kind[T]) -> T | None:
        """None where the field is absent or null."""
        raw = self._fields.pop(name, NULL)
        return None if raw == NULL else kind.read(raw, self.at(name))

    def need(self, name: str, kind: Kind[T]) -> T:
        if name not in self._fields:
            raise missing(self.at(name))
        return kind.read(self._fields.pop(name), self.at(name))

    def text(self, name: str) -> str:
        """Empty where the field is absent or null."""
        return self.take(name, TEXT) or ""

    def raw_object(self, name: str) -> msgspec.Raw:
        """A required object as the caller wrote it."""
        raw = self._fields.get(name, NULL)
        self.need(name, OBJECT)
        return raw

    def nth(self, name: str, index: int) -> str:
        return f"{self.at(name)}.{index}"

    def child(self, name: str) -> Self | None:
        fields = self.take(name, OBJECT)
        return None if fields is None else type(self)(fields, self.at(name), self._losses)

    def needed_child(self, name: str) -> Self:
        fields = self.need(name, OBJECT)
        return type(self)(fields, self.at(name), self._losses)

    def each(self, name: str) -> Iterator[Self]:
        """The objects of a list; none where it is absent or null."""
        items = self.take(name, ITEMS)
        for index, raw in enumerate(items or ()):
            yield self.item(name, index, raw)

    def item(self, name: str, index: int, raw: msgspec.Raw) -> Self:
        path = self.nth(name, index)
        return type(self)(OBJECT.read(raw, path), path, self._losses)

    def lose(self, name: str, value: object) -> None:
        """`value` of a field that was read has no place in a prompt."""
        self._losses[self.at(name)] = msgspec.Raw(msgspec.json.encode(value))

    def ignore(self, name: str, *values: object) -> None:
        """Leaves a field unread without a loss where it says one of `values`, which hold anyway."""
        raw = self._fields.get(name)
        if raw is not None and loose(raw) in values:
            del self._fields[name]

    def forget(self, *names: str) -> None:
        for name in names:
            self._fields.pop(name, None)

    def close(self) -> None:
        """What is left is lost; null says nothing."""
        for name, raw in self._fields.items():
            if raw != NULL:
                self._losses[self.at(name)] = raw


def loose(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return ...


def missing(path: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: Field required", param=path, code="missing_required_parameter")


def wrong_kind(path: str, words: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: Input should be {words}", param=path, code="invalid_type")


def wrong_value(path: str, *wanted: str) -> InvalidRequest:
    """`wanted` are the values that there are."""
    *most, last = [f"'{each}'" for each in wanted]
    words = f"{', '.join(most)} or {last}" if most else last
    return InvalidRequest(f"{path}: Input should be {words}", param=path, code="invalid_value")


def refused(path: str, words: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {words}", param=path, code="invalid_value")
