"""What a call to a provider can fail with, by codes that tell whether the provider may have started to work.

upstream_unreachable, upstream_connect_timeout    no connection: nothing was sent
upstream_reset                                    the connection broke after sending, before an answer
upstream_timeout                                  no answer in time, or not finished in time
upstream_stalled                                  silence within the answer
upstream_garbled                                  no HTTP, an answer broken off, or one larger than allowed

No text names a host or repeats what the other side said.
"""

from common.errors import UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable


def unreachable() -> UpstreamUnreachable:
    return UpstreamUnreachable("The provider could not be reached.")


def not_allowed() -> UpstreamUnreachable:
    return UpstreamUnreachable("The provider's address is not one that the platform may connect to.")


def never_asked() -> UpstreamUnreachable:
    return UpstreamUnreachable("The provider could not be asked.")


def connected_late() -> UpstreamTimeout:
    return UpstreamTimeout("The provider could not be reached in time.", code="upstream_connect_timeout")


def reset() -> UpstreamUnreachable:
    return UpstreamUnreachable("The connection to the provider broke before it answered.", code="upstream_reset")


def silent() -> UpstreamTimeout:
    return UpstreamTimeout("The provider did not answer in time.")


def overdue() -> UpstreamTimeout:
    return UpstreamTimeout("The provider did not finish its answer in time.")


def stalled() -> UpstreamTimeout:
    return UpstreamTimeout("The provider fell silent in the middle of its answer.", code="upstream_stalled")


def no_http() -> UpstreamGarbled:
    return UpstreamGarbled("The provider's answer is not HTTP.")


def cut_short() -> UpstreamGarbled:
    return UpstreamGarbled("The provider's answer was cut short or is not HTTP.")


def too_large(limit: int) -> UpstreamGarbled:
    return UpstreamGarbled(f"The provider's answer is larger than {limit} bytes.")
