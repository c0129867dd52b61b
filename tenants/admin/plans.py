from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.actions.plans import change_plan, create_plan
from tenants.admin.base import ActionAdmin
from tenants.models import Plan


@admin.register(Plan)
class PlanAdmin(ActionAdmin[Plan]):
    list_display = ("name", "requests_per_minute")
    search_fields = ("name",)
    ordering = ("name",)
    add_fields = change_fields = ("name", "requests_per_minute", "allowed_models")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_plan(**values)

    def change(self, request: HttpRequest, row: Plan, values: dict[str, Any]) -> None:
        change_plan(plan_id=row.id, **values)
