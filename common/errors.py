"""Every error the platform says aloud, as one tree.

OrchestratorError
├── InvalidRequest            400
│   ├── RequestTimeout        408
│   ├── PayloadTooLarge       413
│   └── UnsupportedMediaType  415
├── Unauthenticated           401
├── PaymentRequired           402
├── PermissionDenied          403
├── NotFound                  404
├── MethodNotAllowed          405
├── Conflict                  409
├── RateLimited               429
├── Unavailable               503
└── UpstreamError             502
    ├── UpstreamRefused       the vendor's own status
    ├── UpstreamUnreachable   502  (refused, reset, DNS)
    ├── UpstreamGarbled       502  (bytes that are no answer, a body cut short)
    └── UpstreamTimeout       504

`message` and `param` are shown to callers, so they never hold a secret. `type` and `code`
follow the error object of the OpenAI API (platform.openai.com/docs/guides/error-codes).
"""

from typing import ClassVar


class OrchestratorError(Exception):
    """An error with everything an edge needs to answer.

    `param` names the field that was wrong; `retry_after` is seconds until a retry can succeed.
    """

    status: int = 500
    type: ClassVar[str] = "server_error"
    code: str = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class InvalidRequest(OrchestratorError):
    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class RequestTimeout(InvalidRequest):
    status = 408
    code = "request_timeout"


class PayloadTooLarge(InvalidRequest):
    status = 413
    code = "payload_too_large"


class UnsupportedMediaType(InvalidRequest):
    status = 415
    code = "unsupported_media_type"


class Unauthenticated(OrchestratorError):
    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class PaymentRequired(OrchestratorError):
    status = 402
    type = "insufficient_quota"
    code = "insufficient_quota"


class PermissionDenied(OrchestratorError):
    status = 403
    type = "permission_error"
    code = "permission_denied"


class NotFound(OrchestratorError):
    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(OrchestratorError):
    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class Conflict(OrchestratorError):
    status = 409
    type = "invalid_request_error"
    code = "conflict"


class RateLimited(OrchestratorError):
    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class Unavailable(OrchestratorError):
    status = 503
    type = "service_unavailable"
    code = "unavailable"


class UpstreamError(OrchestratorError):
    status = 502
    type = "upstream_error"
    code = "upstream_error"


class UpstreamRefused(UpstreamError):
    """The vendor answered with an error of its own; `status` is what the caller gets."""

    code = "upstream_refused"


class UpstreamUnreachable(UpstreamError):
    code = "upstream_unreachable"


class UpstreamGarbled(UpstreamError):
    code = "upstream_garbled"


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
