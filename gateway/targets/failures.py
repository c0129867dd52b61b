"""What a failed call says of the target: the classes that circuits tell apart."""

from typing import Final, Literal

from common.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable

FailureKind = Literal["unreachable", "timeout", "server_error", "garbled", "rate_limited", "credential", "request"]
"""The first four open a circuit when there are enough of them, and "credential" at once. "rate_limited" lets the target
rest. "request" is the caller's fault: the target works."""

CREDENTIAL_CODES: Final = ("upstream_credential", "upstream_quota")


def kind_of(error: UpstreamError) -> FailureKind:
    """The class of an error as `providers.wire.faults` and `providers.client.failures` raise it."""
    if error.code in CREDENTIAL_CODES:
        return "credential"
    if error.status == 429:
        return "rate_limited"
    if isinstance(error, UpstreamTimeout):
        return "timeout"
    if isinstance(error, UpstreamUnreachable):
        return "unreachable"
    if isinstance(error, UpstreamGarbled):
        return "garbled"
    return "server_error" if error.status >= 500 else "request"
