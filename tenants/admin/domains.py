from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.actions.tenants import add_domain, remove_domain
from tenants.admin.base import ActionAdmin
from tenants.models import Domain


@admin.register(Domain)
class DomainAdmin(ActionAdmin[Domain]):
    list_display = ("host", "tenant", "is_primary")
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__slug")
    ordering = ("host",)
    add_fields = ("tenant", "host", "is_primary")
    readonly_fields = ("tenant", "host", "is_primary")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return add_domain(tenant=values["tenant"].ref, host=values["host"], is_primary=values["is_primary"])

    def remove(self, request: HttpRequest, row: Domain) -> None:
        remove_domain(tenant=row.tenant.ref, host=row.host)
