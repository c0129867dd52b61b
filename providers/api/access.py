"""Who may look at a tenant's providers, and who may change them."""

from typing import cast

from rest_framework.request import Request

from tenants.api_authentication import Caller
from tenants.scopes import Scope, check_scope
from tenants.states import check_writable


def reader(request: Request) -> Caller:
    """Raises PermissionDenied."""
    caller = cast(Caller, request.auth)
    check_scope(caller.scopes, Scope.PROVIDERS_READ)
    return caller


def writer(request: Request) -> Caller:
    """Raises PermissionDenied, for a tenant that is read-only as well."""
    caller = cast(Caller, request.auth)
    check_scope(caller.scopes, Scope.PROVIDERS_WRITE)
    check_writable(caller.state)
    return caller
