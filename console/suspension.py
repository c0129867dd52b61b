"""The pages of a suspended tenant: one that says so, in the place of all of them."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from console.home import find_tenant_state
from tenants.middleware import ANY_HOST_PREFIXES
from tenants.states import TenantState

PAGE: Final = {
    "title": "This tenant is suspended",
    "advice": "Its pages and its API keys do not work until it is made active again. Please ask the operator.",
    "status": 403,
}


class SuspendedTenants(MiddlewareMixin):
    """What every host serves is left alone: there the key says whose request it is."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        tenant = getattr(request, "tenant", None)
        if tenant is None or request.path.startswith(ANY_HOST_PREFIXES):
            return None
        if find_tenant_state(tenant) != TenantState.SUSPENDED:
            return None
        return render(request, "error.html", PAGE, status=403)
