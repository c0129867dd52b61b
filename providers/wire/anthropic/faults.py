"""Errors as the Messages API tells them (platform.claude.com/docs/en/api/errors)."""

from typing import Any, Final

import msgspec

from common.errors import OrchestratorError

TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(error: OrchestratorError) -> bytes:
    return msgspec.json.encode(error_fields(error))


def error_event(error: OrchestratorError) -> bytes:
    return b"event: error\ndata: " + error_body(error) + b"\n\n"


def error_fields(error: OrchestratorError) -> dict[str, Any]:
    """With our `code` and `param` beside Anthropic's fields; its SDKs read the code from `details`."""
    inner = {
        "type": type_of(error.status),
        "message": error.message,
        "code": error.code,
        "param": error.param,
        "details": {"error_code": error.code},
    }
    return {"type": "error", "error": inner}


def type_of(status: int) -> str:
    return TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
