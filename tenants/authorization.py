"""What an API key allows: decided here alone, for the gateway's door and for the control plane's."""

from datetime import datetime

from common.errors import Unauthenticated
from tenants.identity import KeyRecord
from tenants.keys import ParsedKey, matches, unknown_key
from tenants.scopes import Scope, check_scope
from tenants.states import check_usable, check_writable


def prove(record: KeyRecord | None, key: ParsedKey, pepper: str) -> KeyRecord:
    """The record found under the key's id, once the secret is known to be its own. Raises Unauthenticated.

    A revoked key has no record, so that it is as unknown as one that never was.
    """
    if record is None or not matches(key.secret, record.digest, pepper):
        raise unknown_key()
    return record


def check_unexpired(record: KeyRecord, now: datetime) -> None:
    """Raises Unauthenticated. That a key has expired is told to its holder alone: prove it first."""
    if record.expired(now):
        raise Unauthenticated("This API key has expired.", code="expired_api_key")


def authorize(record: KeyRecord, state: str, *, scope: Scope, now: datetime) -> None:
    """Whether a proven key of a tenant in that state may do what the scope names.

    Raises Unauthenticated for an expired key; PermissionDenied for a state that forbids it and for a missing scope.
    """
    check_unexpired(record, now)
    if scope is Scope.COMPLETIONS_WRITE:
        check_writable(state)
    else:
        check_usable(state)
    check_scope(record.scopes, scope)
