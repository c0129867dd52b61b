"""The probe's tenants, each with rows that bear its mark wherever a tenant may have rows.

Runs inside the platform's own process settings: it uses the platform's actions and its door.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

# The platform's own, behind the door that is on trial.
from billing.models import Settlement
from common.ids import month_of, new_id
from providers.models import OfferedModel, Provider
from tenants.actions.api_keys import create_api_key
from tenants.actions.tenants import create_tenant
from tenants.door import TenantRef, platform_scope, tenant_scope


@dataclass(frozen=True, slots=True)
class Player:
    """`mark` stands in every row of this tenant and in nobody else's."""

    tenant: TenantRef
    mark: str
    api_key: str = field(repr=False)


def make_players(count: int) -> list[Player]:
    return [make_player(f"mark{number:03d}") for number in range(count)]


def make_player(mark: str) -> Player:
    tenant = create_tenant(slug=mark, name=mark)
    key = create_api_key(tenant=tenant, name=mark)
    with tenant_scope(tenant):
        provider = Provider.objects.create(name=mark, base_url="http://127.0.0.1:9/v1")
        OfferedModel.objects.create(provider=provider, name=f"model-{mark}")
    with platform_scope():
        settle_one(tenant.id, mark)
    return Player(tenant, mark, key.text)


def settle_one(tenant_id: UUID, mark: str) -> None:
    """One completed attempt today, of a model that bears the mark."""
    request_id, now = new_id(), datetime.now(UTC)
    Settlement.objects.create(
        request_id=request_id,
        attempt=1,
        month=month_of(request_id),
        kind="settlement",
        tenant_id=tenant_id,
        provider=mark,
        provider_scope="tenant",
        model=f"model-{mark}",
        requested_model=f"model-{mark}",
        stream=False,
        process_id=new_id(),
        price_version="probe",
        input_tokens=1,
        output_tokens=1,
        cache_read_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=0,
        input_audio_tokens=0,
        output_audio_tokens=0,
        usage_source="provider",
        cost_nano=1,
        charge_nano=1,
        outcome="completed",
        started_at=now,
        duration_ms=1,
        settled_at=now,
    )
