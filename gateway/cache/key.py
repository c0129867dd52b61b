"""A request as 32 bytes. Equal bytes mean: whoever answers one of two requests has answered the other.

Normalised is the JSON's writing: the order of names, whitespace, escapes, the spelling of numbers. What is left out can
change no answer:

- `stream` and `stream_options`: how an answer is sent. Whatever is kept can be sent either way. (Not so with what is
  kept byte by byte, such as speech: there they stay.)
- `user`, `safety_identifier`, `prompt_cache_key`, `prompt_cache_retention`, `metadata`: whom the vendor may hold
  responsible, how it finds its own cache, and labels that it keeps beside a request. A provider with templates of its
  own may put any of them into a prompt; `every_field` leaves nothing out.

Everything else stays, fields that nobody here knows among them. The dialect stays too: the same field may mean
something else in another, and hardly any client speaks two.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import msgspec

from providers.catalogue import RouteEntry
from providers.wire.openai.adapter import TASKS
from providers.wire.shapes import ChatRequest

SENDING: Final = frozenset(("stream", "stream_options"))
HINTS: Final = frozenset(("user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "metadata"))
NOTHING: Final[frozenset[str]] = frozenset()
# Larger requests are compared as they were sent, which is several times sooner; the largest are not kept at all.
MOST_NORMALISED: Final = 65_536
MOST_BYTES: Final = 4_194_304
MOST_SCOPES: Final = 1024

DECODE: Final = msgspec.json.Decoder().decode
ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class Scopes:
    """The beginning of a key: a tenant's route as it is configured. Another configuration has other answers; what a
    route has learned since has not."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, str], tuple[RouteEntry, bytes]] = OrderedDict()

    def of(self, tenant_id: UUID, route: RouteEntry) -> bytes:
        """32 bytes. A route is read once, as long as it is the same object."""
        known = self._known.get((tenant_id, route.name))
        if known is not None and known[0] is route:
            return known[1]
        configured = ENCODE((route.name, route.strategy, route.drop_params, route.rules, route.policy))
        digest = hashlib.sha256(framed((tenant_id.bytes, configured))).digest()
        self._known[tenant_id, route.name] = (route, digest)
        self._known.move_to_end((tenant_id, route.name))
        if len(self._known) > MOST_SCOPES:
            self._known.popitem(last=False)
        return digest


def key_of(scope: bytes, request: ChatRequest, *, tags: Iterable[str] = (), every_field: bool = False) -> bytes | None:
    """32 bytes, or None for what is never kept: uploads, and bodies of more than 4 MiB.

    `scope` is from `Scopes`. `tags` are the caller's, by which targets are chosen.
    """
    if request.upload or request.input_bytes > MOST_BYTES:
        return None
    headers = (part.encode() for header in request.headers for part in header)
    about = framed((request.dialect.encode(), framed(headers), framed(sorted(tag.encode() for tag in tags))))
    digest = hashlib.sha256(scope + framed((about,)))
    left_out = left_out_of(request, every_field=every_field)
    for piece in pieces(request, left_out):
        digest.update(piece)
    return digest.digest()


def left_out_of(request: ChatRequest, *, every_field: bool) -> frozenset[str]:
    sending = NOTHING if request.dialect in TASKS else SENDING
    return sending if every_field else sending | HINTS


def pieces(request: ChatRequest, left_out: frozenset[str]) -> Iterator[bytes | memoryview]:
    as_sent = request.input_bytes > MOST_NORMALISED
    fields = request.fields
    for name in sorted(fields):
        if name not in left_out:
            raw = fields[name]
            value = memoryview(raw) if as_sent else normalised(bytes(raw))
            yield framed((name.encode(), b"%d=" % len(value)))
            yield value


def normalised(raw: bytes) -> bytes:
    """One field's value, marked with `~`; or as it was sent, marked with `=`, where a name is in one object twice (a
    vendor may read the other of the two) or where it cannot be read."""
    try:
        value = DECODE(raw)
        if type(value) is float and value.is_integer():
            # `"temperature": 1.0`. Further down 1.0 may be part of a tool's schema, which a model is shown as it is.
            value = int(value)
        written = ENCODE(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return b"=" + raw
    return b"~" + written if names_kept(raw, written) else b"=" + raw


def names_kept(raw: bytes, written: bytes) -> bool:
    """Whether as many names are left as there were: every one has a colon, and strings have theirs in both. False, too,
    where a string may write its colons as \\u003a."""
    if b"\\u003" in raw and (b"\\u003a" in raw or b"\\u003A" in raw):
        return False
    return raw.count(b":") == written.count(b":")


def framed(parts: Iterable[bytes]) -> bytes:
    """The parts with their lengths, so that no two lists are written alike."""
    return b"".join([b"%d:%b" % (len(part), part) for part in parts])
