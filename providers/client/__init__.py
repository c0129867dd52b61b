"""The one place that opens sockets to providers."""

from providers.client.upstream import UpstreamCall, UpstreamClient, UpstreamResponse

__all__ = ["UpstreamCall", "UpstreamClient", "UpstreamResponse"]
