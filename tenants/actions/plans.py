"""Plans: what tenants sign up for."""

from uuid import UUID

from django.db import IntegrityError, transaction

from common.errors import Conflict, InvalidRequest, NotFound
from tenants.config_version import raise_version
from tenants.door import in_platform_scope
from tenants.models import Plan, Tenant


@in_platform_scope
def create_plan(*, name: str, requests_per_minute: int | None = None) -> UUID:
    """The plan's id. Raises InvalidRequest and Conflict."""
    check(name, requests_per_minute)
    try:
        with transaction.atomic():
            return Plan.objects.create(name=name.strip(), requests_per_minute=requests_per_minute).id
    except IntegrityError as error:
        raise Conflict(f"There is a plan {name!r} already.", param="name") from error


@in_platform_scope
def change_plan(*, plan_id: UUID, name: str, requests_per_minute: int | None) -> None:
    """Effective at once for every tenant on the plan. Raises InvalidRequest and NotFound."""
    check(name, requests_per_minute)
    if not Plan.objects.filter(id=plan_id).update(name=name.strip(), requests_per_minute=requests_per_minute):
        raise NotFound("There is no such plan.", param="plan")
    for tenant_id in Tenant.objects.filter(plan_id=plan_id).order_by("id").values_list("id", flat=True):
        raise_version(tenant_id)


def check(name: str, requests_per_minute: int | None) -> None:
    if not 1 <= len(name.strip()) <= 100:
        raise InvalidRequest("A plan's name has 1 to 100 characters.", param="name")
    if requests_per_minute is not None and requests_per_minute < 1:
        raise InvalidRequest("A limit is at least 1 request a minute.", param="requests_per_minute")
