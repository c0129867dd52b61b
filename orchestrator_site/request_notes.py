"""Tells the observer around Django which route answered, and for which tenant."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from orchestrator_site.logs.context import bind_tenant
from orchestrator_site.observation import ROUTE, TENANT
from tenants.identity import TenantRef


class RequestNotes(MiddlewareMixin):
    """Stands right behind the middleware that finds the tenant."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        scope = getattr(request, "scope", {})
        if request.resolver_match is not None:
            scope[ROUTE] = "/" + request.resolver_match.route
        note_tenant(scope, getattr(request, "tenant", None))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # Where an API key said whose request it was, the view found out.
        caller = getattr(request, "auth", None)
        note_tenant(getattr(request, "scope", {}), getattr(caller, "tenant", None))
        return response


def note_tenant(scope: dict[str, Any], tenant: TenantRef | None) -> None:
    if tenant is not None:
        scope[TENANT] = str(tenant.id)
        bind_tenant(tenant.id)
