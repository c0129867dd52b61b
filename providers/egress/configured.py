"""The operator's rules for what a tenant, or the operator, writes into a row."""

from django.conf import settings

from common.errors import InvalidRequest
from providers.client.address import parsed
from providers.egress.policy import AddressRefused, EgressPolicy, Scope
from providers.egress.resolver import Resolver
from providers.scope import Owner


def policy() -> EgressPolicy:
    found = settings.ENVIRONMENT.egress()
    assert isinstance(found, EgressPolicy)  # noqa: S101 for the type checker
    return found


def resolver() -> Resolver:
    """A new one, for work that is short and of one event loop."""
    return Resolver(policy())


def scope_of(owner: Owner) -> Scope:
    return "platform" if owner is None else "tenant"


def check_url(url: str, owner: Owner, *, param: str) -> None:
    """Refuses what is plainly wrong while the row is written; where a name leads is judged whenever it is connected to.

    Raises InvalidRequest naming `param`.
    """
    try:
        address, _, _ = parsed(url)
    except ValueError:
        raise InvalidRequest("Use an absolute URL that starts with http:// or https://.", param=param) from None
    try:
        policy().check_host(address.host, scope_of(owner))
    except AddressRefused as refused:
        raise InvalidRequest(f"The platform may not connect to this URL. {refused}", param=param) from None
