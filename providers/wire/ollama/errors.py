"""Ollama's errors: {"error": "…"}, as an answer of their own or as a line in the middle of a stream of status 200."""

from collections.abc import Mapping

import msgspec

from common.errors import UpstreamError, UpstreamRefused
from providers.wire.faults import Report, fault, normal_code, presentable

FULL = "context_length_exceeded"


class Told(msgspec.Struct, frozen=True):
    error: str = ""


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error a caller gets for a non-2xx answer; `headers` in lower case."""
    try:
        message = msgspec.json.decode(body, type=Told).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = ""
    return fault(status, headers, Report(message=presentable(message), code=normal_code(None, message)))


def broken_off(error: msgspec.Raw) -> UpstreamError | None:
    """What a line's `error` says, an object on servers that only resemble Ollama; None for none.

    Raises DecodeError for JSON that is none.
    """
    told = msgspec.json.decode(error) if bytes(error) else None
    if not told:
        return None
    message = told if isinstance(told, str) else ""
    if normal_code(None, message) == FULL:
        return UpstreamRefused(presentable(message), status=400, code=FULL)
    return UpstreamRefused("The provider broke off with an error.", code="upstream_error")
