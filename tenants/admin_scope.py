"""The operators' admin: every page of it runs in the platform's scope."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenants.door import platform_scope
from tenants.operator_login import OperatorLoginForm

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class PlatformAdminSite(AdminSite):
    """One request, one transaction of the system role. On the public host alone."""

    site_header = "Operators"
    site_title = "Operators"
    login_form = OperatorLoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        return getattr(request, "tenant", None) is None and super().has_permission(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with platform_scope():
                response = inner(request, *args, **kwargs)
                # A page reads its rows while it is rendered, which Django leaves for later.
                render = getattr(response, "render", None)
                return response if render is None else render()

        return cast(View, entered)
