"""What an error says in headers, whichever dialect its body is in."""

import math

from common.errors import MethodNotAllowed, OrchestratorError, RequestTimeout, Unauthenticated
from gateway.calls import OverLimit
from gateway.edge.asgi import Headers
from gateway.edge.limits_shown import limit_headers


def error_headers(error: OrchestratorError) -> Headers:
    headers: Headers = []
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))))
        headers.append((b"retry-after-ms", b"%d" % max(1, math.ceil(error.retry_after * 1000))))
    if isinstance(error, OverLimit):
        headers += limit_headers(error.admitted)
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, RequestTimeout):
        # The rest of the body may never come (RFC 9110 section 15.5.9).
        headers.append((b"connection", b"close"))
    if isinstance(error, WrongMethod):
        headers.append((b"allow", error.allowed))
    return headers


class WrongMethod(MethodNotAllowed):
    """`allowed` is the value of the Allow header."""

    def __init__(self, method: str, allowed: bytes) -> None:
        super().__init__(f"The method {method[:20]} is not allowed here; use {allowed.decode()}.")
        self.allowed = allowed


def unexpected() -> OrchestratorError:
    """What a caller is told of an error that should not be: nothing."""
    return OrchestratorError("Something went wrong on our side.")
