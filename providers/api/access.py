"""Who may look at a tenant's providers, and who may change them."""

from rest_framework.request import Request

from providers.history import act_as
from tenants.api_authentication import Caller, caller_with
from tenants.scopes import Scope
from tenants.states import check_writable


def reader(request: Request) -> Caller:
    """Raises PermissionDenied."""
    return caller_with(request, Scope.PROVIDERS_READ)


def writer(request: Request) -> Caller:
    """What is changed from here on is on record as the caller's.

    Raises PermissionDenied, for a tenant that is read-only as well.
    """
    caller = caller_with(request, Scope.PROVIDERS_WRITE)
    check_writable(caller.state)
    act_as(user_id=caller.user_id, key_id=caller.key_id)
    return caller
