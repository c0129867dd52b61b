"""What a call to a provider can fail with, by codes that tell whether the provider may have started to work.

upstream_unreachable, upstream_connect_timeout    no connection: nothing was sent
upstream_reset                                    the connection broke after sending, before an answer
upstream_timeout                                  no first byte in time, or not finished in time
upstream_stalled                                  silence within the answer
upstream_garbled                                  no HTTP, an answer broken off, or one larger than allowed
"""

import aiohttp

from common.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable


class Overdue(aiohttp.ClientError):
    """The answer was not finished in time."""


class Stalled(aiohttp.ClientError):
    """The answer fell silent."""


def no_answer(error: Exception) -> UpstreamError:
    """What kept the headers of an answer from coming. Its text may name hosts and is not passed on."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamTimeout("The provider could not be reached in time.", code="upstream_connect_timeout")
    if isinstance(error, TimeoutError):
        return UpstreamTimeout("The provider did not answer in time.")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return UpstreamUnreachable("The provider could not be reached.")
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamGarbled("The provider's answer is not HTTP.")
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return UpstreamUnreachable("The connection to the provider broke before it answered.", code="upstream_reset")
    return UpstreamUnreachable("The provider could not be asked.")


def broken_answer(error: Exception) -> UpstreamError:
    """What broke an answer after its headers."""
    if isinstance(error, Stalled):
        return UpstreamTimeout("The provider fell silent in the middle of its answer.", code="upstream_stalled")
    if isinstance(error, Overdue | TimeoutError):
        return UpstreamTimeout("The provider did not finish its answer in time.")
    return UpstreamGarbled("The provider's answer was cut short or is not HTTP.")
