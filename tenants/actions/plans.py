"""Plans: what tenants sign up for."""

from collections.abc import Iterable
from uuid import UUID

from common.errors import NotFound
from tenants.actions.rows import check_limit, checked_name, unique_or
from tenants.allow_rules import checked_patterns
from tenants.config_version import raise_version
from tenants.door import in_platform_scope
from tenants.models import Plan, Tenant


@in_platform_scope
def create_plan(*, name: str, requests_per_minute: int | None = None, allowed_models: Iterable[str] = ()) -> UUID:
    """The plan's id. Raises InvalidRequest and Conflict."""
    checked = checked_name(name, "A plan's name")
    check_limit(requests_per_minute)
    patterns = checked_patterns(allowed_models)
    with unique_or(f"There is a plan {name!r} already.", param="name"):
        return Plan.objects.create(name=checked, requests_per_minute=requests_per_minute, allowed_models=patterns).id


@in_platform_scope
def change_plan(
    *, plan_id: UUID, name: str, requests_per_minute: int | None, allowed_models: Iterable[str] | None = None
) -> None:
    """Effective at once for every tenant on the plan; where `allowed_models` is None, its patterns stay.

    Raises InvalidRequest, NotFound and Conflict.
    """
    checked = checked_name(name, "A plan's name")
    check_limit(requests_per_minute)
    changed = {} if allowed_models is None else {"allowed_models": checked_patterns(allowed_models)}
    with unique_or(f"There is a plan {name!r} already.", param="name"):
        found = Plan.objects.filter(id=plan_id).update(name=checked, requests_per_minute=requests_per_minute, **changed)
    if not found:
        raise NotFound("There is no such plan.", param="plan")
    for tenant_id in Tenant.objects.filter(plan_id=plan_id).order_by("id").values_list("id", flat=True):
        raise_version(tenant_id)
