"""httpx2 kept to the addresses that were judged: for what is asked seldom and with a whole client's comfort.

The connection goes to the address; the Host header and TLS keep the name (httpx2's `sni_hostname`, which httpcore2 also
checks the certificate against). One client speaks to one host: its connections are pooled by address.
"""

import ssl
from functools import cache

import httpx2

from providers.client.pool import Places
from providers.egress.policy import AddressRefused, Scope


class PinnedTransport(httpx2.AsyncHTTPTransport):
    """Resolves a request's host once and connects to nothing else; raises httpx2.ConnectError for a refused host."""

    def __init__(self, places: Places, scope: Scope) -> None:
        super().__init__(verify=trust(), trust_env=False)
        self._places = places
        self._scope = scope

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url, host = request.url, request.url.raw_host.decode("ascii").strip("[]")
        try:
            *others, last = await self._places(host, self._scope)
        except (AddressRefused, OSError) as error:
            raise httpx2.ConnectError(str(error), request=request) from None
        request.extensions = {**request.extensions, "sni_hostname": host}
        try:
            for place in others:
                request.url = url.copy_with(host=place)
                try:
                    return await super().handle_async_request(request)
                except httpx2.ConnectError:
                    continue
            request.url = url.copy_with(host=last)
            return await super().handle_async_request(request)
        finally:
            request.url = url


@cache
def trust() -> ssl.SSLContext:
    """Reading the authorities takes longer than a call; one context serves any number of connections."""
    return httpx2.create_ssl_context(trust_env=False)


def pinned_client(places: Places, scope: Scope, *, seconds: float) -> httpx2.AsyncClient:
    """Follows no redirect, trusts no proxy variable of the environment, and gives up after `seconds` of silence."""
    return httpx2.AsyncClient(
        transport=PinnedTransport(places, scope), timeout=seconds, trust_env=False, follow_redirects=False
    )
