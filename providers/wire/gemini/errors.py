"""Google's errors (cloud.google.com/apis/design/errors): {"error": {"code", "status", "message", "details"}}.

In a stream the same object may come as an event, or in an array.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import UpstreamError
from providers.wire.faults import LONGEST_WAIT, Report, fault, normal_code, positive, presentable

# A wrong key is a 400 like a wrong field; the reason tells them apart.
KEY_REASONS = {"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "CONSUMER_SUSPENDED"}
WRONG_KEY = re.compile(r"api key (not valid|expired|not found)", re.I)
# What 400 says of the account and not of the request: no billing, or a country that is not served.
ACCOUNT_STATUS = "FAILED_PRECONDITION"
TOO_MANY = re.compile(r"input token count.*exceeds|exceeds the maximum number of tokens", re.I)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error a caller gets for a non-2xx answer; `headers` in lower case."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    return error_of(status, headers, inner(found))


def broken_off(error: msgspec.Raw) -> UpstreamError | None:
    """The error inside an answer or a stream of status 200; None for none. Raises DecodeError for JSON that is none."""
    found = msgspec.json.decode(error) if bytes(error) else None
    if not found:
        return None
    told = found if isinstance(found, dict) else {}
    code = told.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    return error_of(status, {}, told)


def inner(found: Any) -> dict[str, Any]:
    """The error object, wherever it is; {} for none."""
    if isinstance(found, list) and found:
        found = found[0]
    told = found.get("error") if isinstance(found, dict) else None
    return told if isinstance(told, dict) else {}


def error_of(status: int, headers: Mapping[str, str], told: dict[str, Any]) -> UpstreamError:
    message = told.get("message")
    message = message if isinstance(message, str) else ""
    details = [each for each in listed(told.get("details")) if isinstance(each, dict)]
    if status == 400 and is_of_the_account(told, message, details):
        status = 401
    code = "context_length_exceeded" if TOO_MANY.search(message) else normal_code(None, message)
    error = fault(status, headers, Report(message=presentable(message), param=field_of(details), code=code))
    if error.retry_after is None:
        error.retry_after = delay_of(details)
    return error


def is_of_the_account(told: dict[str, Any], message: str, details: list[dict[str, Any]]) -> bool:
    reasons = {reason for each in details if isinstance(reason := each.get("reason"), str)}
    return bool(reasons & KEY_REASONS) or told.get("status") == ACCOUNT_STATUS or bool(WRONG_KEY.search(message))


def field_of(details: list[dict[str, Any]]) -> str | None:
    """The field that a BadRequest blames, by Google's name for it."""
    for each in details:
        for violation in listed(each.get("fieldViolations")):
            name = violation.get("field") if isinstance(violation, dict) else None
            if isinstance(name, str) and name:
                return presentable(name)
    return None


def delay_of(details: list[dict[str, Any]]) -> float | None:
    """Seconds that a RetryInfo asks to wait: "34s", "0.5s"."""
    for each in details:
        delay = each.get("retryDelay")
        if isinstance(delay, str) and (seconds := positive(delay.removesuffix("s"))) is not None:
            return min(seconds, LONGEST_WAIT)
    return None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
