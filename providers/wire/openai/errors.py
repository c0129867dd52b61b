"""What servers of the OpenAI wire write into an error, in its several shapes."""

from collections.abc import Mapping

import msgspec

from common.errors import UpstreamError, UpstreamRefused
from providers.wire.faults import fault, read_report


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error a caller gets for a non-2xx answer; `headers` in lower case."""
    return fault(status, headers, read_report(body))


def error_in_answer(raw: msgspec.Raw) -> UpstreamError | None:
    """The error object inside a 200 answer or a stream; None for none."""
    encoded = bytes(raw)
    if encoded in (b"", b"null"):
        return None
    wrapped = b'{"error":' + encoded + b"}"
    report = read_report(wrapped)
    status = status_of(encoded)
    if status:
        return fault(status, {}, report)
    if report.code in ("content_filter", "context_length_exceeded"):
        return UpstreamRefused(report.message, status=400, code=report.code, param=report.param)
    return UpstreamRefused("The provider broke off with an error.", code=report.code or "upstream_error")


def status_of(encoded: bytes) -> int | None:
    """Servers that fail in mid-stream often put the HTTP status in `code` or `status`."""
    try:
        loose = msgspec.json.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(loose, dict):
        return None
    for name in ("code", "status", "status_code"):
        value = loose.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return None
