"""A vendor's errors as the errors that our callers get, whatever the wire.

What is wrong with the request is passed on in the vendor's words. What is wrong between the platform and the vendor
(credential, quota, outage) is not the caller's fault: it is told in our words, and the vendor's, which may quote a
key, stay out.
(platform.openai.com/docs/guides/error-codes; RFC 9110 section 10.2.3 for Retry-After)
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from common.errors import UpstreamError, UpstreamRefused, UpstreamTimeout

PASSED_ON = {400, 404, 409, 413, 422}
LONGEST_MESSAGE = 2000
LONGEST_WAIT = 86_400.0
TOO_LONG = re.compile(r"maximum context length|context[_ ]length|context window|prompt is too long", re.I)
KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|orc|key|gsk|xai|api)[-_][\w*.\-]{6,}|\bAIza[\w*.\-]{6,}|\b(Bearer|Basic)\s+\S+", re.I
)
QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}


class Report(msgspec.Struct, frozen=True):
    """What a vendor's error body said, whatever its shape."""

    message: str = ""
    param: str | None = None
    code: str | None = None


def fault(status: int, headers: Mapping[str, str], report: Report) -> UpstreamError:
    """The error a caller gets for a non-2xx answer; `headers` in lower case."""
    if status in PASSED_ON:
        return UpstreamRefused(
            report.message or f"The provider refused the request with status {status}.",
            status=status,
            param=report.param,
            code=report.code or "upstream_refused",
        )
    return platform_fault(status, report.code, retry_after(headers))


def platform_fault(status: int, code: str | None, wait: float | None) -> UpstreamError:
    if status in (408, 504):
        return UpstreamTimeout("The provider gave up on the request.", retry_after=wait)
    message, shown, ours = fault_of(status, code)
    return UpstreamRefused(message, status=shown, code=ours, retry_after=wait)


def fault_of(status: int, code: str | None) -> tuple[str, int, str]:
    """Our words, status and code for a vendor's status."""
    if status in (401, 403):
        return "The provider did not accept the platform's credential.", 502, "upstream_credential"
    if status == 402 or (status == 429 and code in QUOTA_CODES):
        return "The credential's quota at the provider is used up.", 502, "upstream_quota"
    if status == 429:
        return "The provider's rate limit was reached.", 429, "rate_limit_exceeded"
    if status in (503, 529):
        return "The provider is overloaded or down.", 503, "upstream_unavailable"
    if 300 <= status < 400:
        return "The provider answered with a redirect, which is not followed.", 502, "upstream_refused"
    return f"The provider failed with status {status}.", 502, "upstream_refused"


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


def normal_code(code: Any, message: str) -> str | None:
    """The vendor's code where it is a word; a full context, which many servers tell in prose, under OpenAI's name."""
    if isinstance(code, str) and code and not code.isdecimal():
        return code[:100]
    return "context_length_exceeded" if TOO_LONG.search(message) else None


def presentable(message: str) -> str:
    return KEY_LIKE.sub("[redacted]", message[:LONGEST_MESSAGE])


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `retry-after`; a date counts from the answer's own `date`."""
    milliseconds = positive(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST_WAIT)
    text = headers.get("retry-after", "")
    seconds = positive(text)
    if seconds is None and text:
        until, since = parse_date(text), parse_date(headers.get("date", ""))
        if until is not None and since is not None:
            seconds = max((until - since).total_seconds(), 0.0)
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def positive(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text.strip()) else None


def parse_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return parsed if parsed.tzinfo is not None else None
