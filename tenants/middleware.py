"""Host → tenant, for everything Django serves."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tenants import hosts, snapshots
from tenants.door import platform_db
from tenants.identity import TenantRef

# Served on every host: the key says whose request it is, or it is nobody's.
ANY_HOST_PREFIXES: Final = ("/v1/", "/static/", "/docs", "/redoc", "/schema")


class TenantMiddleware:
    """Sets `request.tenant`, None on the public host, and `request.urlconf`.

    It answers 404 on a host that is nobody's, and 400 to a NUL in the address. It binds no database
    connection: who reads a tenant's tables opens the door for `request.tenant`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.known = hosts.HostCache()
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.answer_async(request)
        refuse_nul(request)
        host = hosts.normalised(request.get_host())
        tenant = None
        if may_have_tenant(host):
            found, tenant = self.known.recall(host)
            if not found:
                tenant = snapshots.tenant_of_host(host)
                self.known.keep(host, tenant)
        refusal = place(request, host, tenant)
        response: HttpResponseBase = refusal or self.get_response(request)
        return response

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        refuse_nul(request)
        host = hosts.normalised(request.get_host())
        tenant = None
        if may_have_tenant(host):
            found, tenant = self.known.recall(host)
            if not found:
                tenant = await platform_db(snapshots.tenant_of_host, host)
                self.known.keep(host, tenant)
        refusal = place(request, host, tenant)
        response: HttpResponseBase = refusal or await self.get_response(request)
        return response


def refuse_nul(request: HttpRequest) -> None:
    """Raises BadRequest: PostgreSQL holds no NUL in text, so nothing can be meant by one, in any filter or search."""
    query = request.META.get("QUERY_STRING", "")
    if "\0" in request.path or "\0" in query or "%00" in query:
        raise BadRequest("There is a NUL in the address.")


def may_have_tenant(host: str) -> bool:
    return not (hosts.is_public(host, settings.ENVIRONMENT.base_domain) or hosts.is_address(host))


def place(request: HttpRequest, host: str, tenant: TenantRef | None) -> HttpResponse | None:
    """Marks the request with its tenant and pages; the refusal when the host is nobody's."""
    request.tenant = tenant  # type: ignore[attr-defined]
    request.urlconf = settings.PUBLIC_SCHEMA_URLCONF if tenant is None else settings.ROOT_URLCONF
    if tenant is not None or hosts.is_public(host, settings.ENVIRONMENT.base_domain):
        return None
    if request.path.startswith(ANY_HOST_PREFIXES):
        return None
    return HttpResponse("There is nothing at this host.\n", status=404, content_type="text/plain; charset=utf-8")
