"""Letting a caller in: the key, the tenant's state, the limits, and the configuration in force."""

from typing import TYPE_CHECKING

from billing.limits.admission import Lookup
from common.errors import PermissionDenied, Unavailable
from gateway.calls import Caller, Identified, OverLimit
from gateway.configs import TenantConfig
from gateway.keys import Presented
from tenants.authorization import authorize
from tenants.identity import KeyRecord
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services


async def identify(services: "Services", key: Presented, host: str, scope: Scope) -> Identified:
    """Who holds the key, by the snapshot at hand: enough to read a body for, not enough to dispatch.

    A refusal that may rest on an old snapshot is checked once before it is given.
    Raises Unauthenticated, PermissionDenied, Unavailable.
    """
    configs = services.configs
    config = await configs.of_key(services.verified.key_id(key))
    try:
        record = held_against(services, config, key, scope)
    except PermissionDenied:
        fresh = await configs.confirmed(config)
        if fresh is config:
            raise
        config, record = fresh, held_against(services, fresh, key, scope)
    await configs.check_host(config, host)
    return Identified(key, scope, config, record)


async def admit(
    services: "Services", identified: Identified, lookup: Lookup | None = None, *, limited: bool = True
) -> Caller:
    """One round trip to Redis where the snapshot is current. `limited` counts the request against the key's limit;
    `lookup` is for an answer that may be kept.

    Raises OverLimit, Unauthenticated, PermissionDenied, Unavailable.
    """
    config, record = identified.config, identified.record
    if limited and not services.ledger.accepting:
        raise Unavailable("Requests cannot be recorded at the moment.", code="ledger_unavailable", retry_after=1)
    limit = requests_per_minute(services, config, record) if limited else None
    admitted = await services.admission.admit(config.tenant_id, record.id, limit, lookup)
    if admitted.config_version != config.version:
        config = await services.configs.agreed(config, admitted.config_version)
        record = held_against(services, config, identified.key, identified.scope)
    if not admitted.allowed:
        raise OverLimit(admitted)
    services.key_use.note(record.id, services.clock.now())
    return Caller(config, record, admitted)


def held_against(services: "Services", config: TenantConfig, key: Presented, scope: Scope) -> KeyRecord:
    record = services.verified.record(config.identity, key)
    authorize(record, config.identity.state, scope=scope, now=services.clock.now())
    return record


def requests_per_minute(services: "Services", config: TenantConfig, record: KeyRecord) -> int:
    """The key's own limit, else its plan's, else the installation's."""
    if record.requests_per_minute is not None:
        return record.requests_per_minute
    plan = config.identity.plan
    if plan is not None and plan.requests_per_minute is not None:
        return plan.requests_per_minute
    return services.settings.requests_per_minute
