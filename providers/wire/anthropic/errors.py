"""Anthropic's errors as the errors that our callers get (platform.claude.com/docs/en/api/errors).

They are told by `error.type`, inside a stream by it alone, and the newer ones by `error.details.error_code` as well.
Prose is looked at only where the type says too little: a full context and an empty account are both
`invalid_request_error`.
"""

import re
from collections.abc import Mapping

import msgspec

from common.errors import UpstreamError, UpstreamRefused
from providers.wire.faults import Report, fault, platform_fault, read_report, retry_after

STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
UNPAID_CODES = {
    "contract_spend_limit_reached",
    "enforced_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "linked_organization_spend_limit_reached",
    "organization_on_hold",
}
UNPAID = re.compile(r"credit balance is too low|reached your specified (?:workspace )?API usage limits", re.I)
DISABLED = re.compile(r"organization has been disabled|API key (?:is|has been) (?:disabled|revoked)", re.I)
TOO_LONG = re.compile(r"prompt is too long|exceeds? (?:the )?context (?:limit|window)|maximum context length", re.I)
PLACE = re.compile(r"([a-z_]+(?:\.[a-z0-9_]+)*): ")


class Details(msgspec.Struct):
    error_code: str = ""


class Failure(msgspec.Struct):
    type: str = ""
    message: str = ""
    details: Details | None = None


class Body(msgspec.Struct):
    error: Failure | None = None


BODY = msgspec.json.Decoder(Body)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error a caller gets for a non-2xx answer; `headers` in lower case."""
    report = read_report(body)
    failure = read_failure(body)
    if failure is None:
        return fault(status, headers, report)
    return refused(status, headers, failure, report)


def error_in_answer(raw: msgspec.Raw) -> UpstreamError | None:
    """The `error` inside a 200 answer or a stream; None for none."""
    encoded = bytes(raw)
    if encoded in (b"", b"null"):
        return None
    body = b'{"error":' + encoded + b"}"
    failure = read_failure(body) or Failure()
    if (status := STATUSES.get(failure.type)) is None:
        return UpstreamRefused("The provider broke off with an error.", code=code_of(failure) or "upstream_error")
    return refused(status, {}, failure, read_report(body))


def refused(status: int, headers: Mapping[str, str], failure: Failure, report: Report) -> UpstreamError:
    """An account that is empty or closed is the platform's trouble, although the vendor calls the request invalid."""
    if is_unpaid(failure):
        return platform_fault(402, None, retry_after(headers))
    if status == 400 and DISABLED.search(failure.message):
        return platform_fault(401, None, None)
    place = PLACE.match(report.message)
    told = Report(
        message=report.message,
        param=report.param or (place[1] if place else None),
        code=code_of(failure),
    )
    return fault(status, headers, told)


def is_unpaid(failure: Failure) -> bool:
    code = failure.details.error_code if failure.details else ""
    return failure.type == "billing_error" or code in UNPAID_CODES or bool(UNPAID.search(failure.message))


def code_of(failure: Failure) -> str | None:
    if TOO_LONG.search(failure.message):
        return "context_length_exceeded"
    code = failure.details.error_code if failure.details else ""
    return (code or failure.type)[:100] or None


def read_failure(body: bytes) -> Failure | None:
    try:
        return BODY.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
