"""Who is asking: an API key held against a snapshot of its tenant."""

from datetime import datetime
from typing import TYPE_CHECKING

from common.errors import Unauthenticated
from tenants.keys import REFUSAL, ParsedKey, matches
from tenants.scopes import Scope, check_scope
from tenants.states import check_usable, check_writable

if TYPE_CHECKING:
    from tenants.snapshots import IdentitySnapshot, KeyRecord


def authenticate(
    identity: "IdentitySnapshot", key: ParsedKey, *, scope: Scope, now: datetime, pepper: str
) -> "KeyRecord":
    """The key's record. Raises Unauthenticated for a key that is unknown, revoked or expired; PermissionDenied
    for a missing scope and for a tenant whose state forbids it. What it forbids is told to holders of a key alone."""
    record = identity.keys.get(key.key_id)
    if record is None or not matches(key.secret, record.digest, pepper):
        raise Unauthenticated(REFUSAL)
    if record.expired(now):
        raise Unauthenticated("This API key has expired.", code="expired_api_key")
    if scope is Scope.COMPLETIONS_WRITE:
        check_writable(identity.state)
    else:
        check_usable(identity.state)
    check_scope(record.scopes, scope)
    return record
