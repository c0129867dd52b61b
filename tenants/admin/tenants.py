from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tenants.actions.tenants import change_tenant, create_tenant, set_tenant_state
from tenants.admin.base import ActionAdmin
from tenants.models import Tenant
from tenants.states import TenantState


@admin.register(Tenant)
class TenantAdmin(ActionAdmin[Tenant]):
    list_display = ("slug", "name", "state", "plan", "cell", "created_at")
    list_filter = ("state", "plan", "cell")
    list_select_related = ("plan",)
    search_fields = ("slug", "name")
    ordering = ("slug",)
    add_fields = ("slug", "name", "time_zone", "plan", "default_model")
    change_fields = ("name", "time_zone", "plan", "default_model", "request_fallbacks", "allowed_by_role")
    readonly_fields = ("slug", "state", "id", "schema_name", "cell", "config_version", "created_at")
    actions = ("activate", "make_read_only", "suspend")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        plan = values.pop("plan")
        return create_tenant(**values, plan=plan and plan.name).id

    def change(self, request: HttpRequest, row: Tenant, values: dict[str, Any]) -> None:
        plan = values.pop("plan")
        # A box that was emptied comes as None.
        values["allowed_by_role"] = values["allowed_by_role"] or {}
        change_tenant(tenant=row.ref, **values, plan=plan.name if plan else "")

    @admin.action(description="Make active", permissions=["change"])
    def activate(self, request: HttpRequest, chosen: "QuerySet[Tenant]") -> None:
        self.move(request, chosen, TenantState.ACTIVE)

    @admin.action(description="Make read-only", permissions=["change"])
    def make_read_only(self, request: HttpRequest, chosen: "QuerySet[Tenant]") -> None:
        self.move(request, chosen, TenantState.READ_ONLY)

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, chosen: "QuerySet[Tenant]") -> None:
        self.move(request, chosen, TenantState.SUSPENDED)

    def move(self, request: HttpRequest, chosen: "QuerySet[Tenant]", state: TenantState) -> None:
        rows = list(chosen)
        for row in rows:
            set_tenant_state(tenant=row.ref, state=state)
        # Told when all of it is done: a refusal undoes what came before it.
        for row in rows:
            self.message_user(request, f"{row.slug} is {state} now.")
