"""A form with a file in it, as callers upload sound (RFC 7578; platform.openai.com/docs/api-reference/audio).

Read strictly: where two readers could disagree about which field is the model, a caller could be served by another
model than the one that is metered. What clients send is read; anything odd is refused.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from common.errors import InvalidRequest

BOUNDARY = re.compile(r"boundary=(?:\"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])\"|([\w'+.=-]{1,70}))", re.I | re.A)
DISPOSITION = re.compile(
    rb"form-data;[ \t]*name=\"([\w.\[\]-]{1,100})\"((?:;[ \t]*filename=\"[^\"\r\n]*\"|;[ \t]*filename\*=[^;\"\r\n]*)*)"
)
MOST_PARTS = 100
LONGEST_HEAD = 8192
LONGEST_FIELD = 65_536


class FormPart(msgspec.Struct, frozen=True):
    """One field: its header lines without the name's own, and its content. `tail` is what follows the name there."""

    name: str
    tail: bytes
    headers: tuple[bytes, ...]
    content: bytes


def read_form(body: bytes, boundary: bytes) -> list[FormPart]:
    """Raises InvalidRequest."""
    delimiter = b"--" + boundary
    if not body.startswith(delimiter):
        raise malformed("it does not begin with its boundary")
    parts: list[FormPart] = []
    place = len(delimiter)
    while body[place : place + 2] != b"--":
        if body[place : place + 2] != b"\r\n" or len(parts) >= MOST_PARTS:
            raise malformed(f"expected at most {MOST_PARTS} parts, each after a boundary and a line break")
        head_end = body.find(b"\r\n\r\n", place, place + LONGEST_HEAD)
        end = body.find(b"\r\n" + delimiter, head_end + 2) if head_end >= 0 else -1
        if end < 0:
            raise malformed(f"part {len(parts) + 1} has no end")
        parts.append(form_part(body[place + 2 : head_end], body[head_end + 4 : end]))
        place = end + 2 + len(delimiter)
    return parts


def boundary_of(content_type: str) -> bytes:
    kind, *parameters = content_type.split(";")
    found = [BOUNDARY.fullmatch(each.strip(" \t")) for each in parameters if "boundary" in each.lower()]
    if kind.strip().lower() != "multipart/form-data" or len(found) != 1 or found[0] is None:
        raise InvalidRequest("The body must be multipart/form-data with a boundary.", code="invalid_form")
    return (found[0][1] or found[0][2]).encode()


def content_type_of(boundary: bytes) -> str:
    return f'multipart/form-data; boundary="{boundary.decode()}"'


def form_part(head: bytes, content: bytes) -> FormPart:
    name, tail = b"", b""
    others: list[bytes] = []
    for line in head.split(b"\r\n"):
        label, colon, value = line.partition(b":")
        if label.lower() != b"content-disposition":
            if not colon or not re.fullmatch(rb"[\w-]+", label) or b"\n" in line or b"\r" in line:
                raise malformed("a part's headers cannot be read")
            others.append(line)
            continue
        found = DISPOSITION.fullmatch(value.strip(b" \t"))
        if found is None or name:
            raise malformed('each part needs one header like Content-Disposition: form-data; name="file"')
        name, tail = found[1], found[2]
    if not name:
        raise malformed("a part has no name")
    return FormPart(name=name.decode(), tail=tail, headers=tuple(others), content=content)


def write_form(parts: Iterable[FormPart], boundary: bytes) -> bytes:
    delimiter = b"--" + boundary
    pieces: list[bytes] = []
    for part in parts:
        pieces += (delimiter, b'\r\nContent-Disposition: form-data; name="', part.name.encode(), b'"', part.tail)
        for line in part.headers:
            pieces += (b"\r\n", line)
        pieces += (b"\r\n\r\n", part.content, b"\r\n")
    return b"".join((*pieces, delimiter, b"--\r\n"))


def field_text(parts: Iterable[FormPart], name: str) -> str | None:
    """The text of a field that may be there once."""
    found = [part.content for part in parts if part.name == name]
    if not found:
        return None
    if len(found) > 1 or len(found[0]) > LONGEST_FIELD:
        raise InvalidRequest(f"'{name}' must be there once, as a short text.", param=name, code="invalid_form")
    try:
        return found[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"'{name}' is not UTF-8.", param=name, code="invalid_form") from None


def with_fields(parts: Iterable[FormPart], replaced: Mapping[str, bytes]) -> list[FormPart]:
    return [
        msgspec.structs.replace(part, content=replaced[part.name]) if part.name in replaced else part for part in parts
    ]


def malformed(fault: str) -> InvalidRequest:
    return InvalidRequest(f"The form cannot be read: {fault}.", code="invalid_form")
