"""What servers of the OpenAI wire write into an error, in its several shapes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import UpstreamError, UpstreamRefused
from providers.wire.faults import Report, fault, normal_code, presentable


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


def read_report(body: bytes) -> Report:
    """Reads {"error": {…}}, {"error": "…"}, a bare {"message": …}, and the {"detail": …} of FastAPI servers."""
    try:
        loose = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Report()
    if isinstance(loose, list) and loose:
        loose = loose[0]
    if not isinstance(loose, dict):
        return Report()
    inner = loose.get("error", loose)
    if isinstance(inner, str):
        return Report(message=presentable(inner), code=normal_code(None, inner))
    if not isinstance(inner, dict):
        return Report()
    if "detail" in inner and "message" not in inner:
        return detail_report(inner["detail"])
    return object_report(inner)


def object_report(inner: dict[str, Any]) -> Report:
    message = inner.get("message")
    message = message if isinstance(message, str) else ""
    param = inner.get("param")
    return Report(
        message=presentable(message),
        param=presentable(param) if isinstance(param, str) else None,
        code=normal_code(inner.get("code"), message),
    )


def detail_report(detail: Any) -> Report:
    if isinstance(detail, str):
        return Report(message=presentable(detail), code=normal_code(None, detail))
    if not isinstance(detail, list) or not detail or not isinstance(detail[0], dict):
        return Report()
    place = detail[0].get("loc")
    steps = [str(step) for step in place if step != "body"] if isinstance(place, list) else []
    message = detail[0].get("msg")
    return Report(message=presentable(message if isinstance(message, str) else ""), param=".".join(steps) or None)
