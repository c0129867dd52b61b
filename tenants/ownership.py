"""Whether a person owns a tenant."""

from uuid import UUID

from tenants.door import tenant_scope
from tenants.identity import TenantRef
from tenants.models import Membership
from tenants.roles import Role


def is_owner(tenant: TenantRef, user_id: UUID | None) -> bool:
    """Opens the tenant's scope. A key that belongs to nobody is no owner's."""
    if user_id is None:
        return False
    with tenant_scope(tenant):
        return Membership.objects.filter(tenant_id=tenant.id, user_id=user_id, role=Role.OWNER).exists()
