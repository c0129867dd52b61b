from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from tenants.actions.api_keys import create_api_key, revoke_api_key, set_key_allowed
from tenants.admin.base import ActionAdmin
from tenants.models import ApiKey
from tenants.scopes import DEFAULT_SCOPES, Scope


class NewApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=f"None chosen means {', '.join(sorted(DEFAULT_SCOPES))}.",
    )

    class Meta:
        model = ApiKey
        fields = ("tenant", "name", "expires_at", "requests_per_minute", "allowed_models")


@admin.register(ApiKey)
class ApiKeyAdmin(ActionAdmin[ApiKey]):
    """A key is made, shown once, and revoked; of what it is, only what it may ask for can change. Its digest is on no
    page."""

    list_display = ("name", "tenant", "key_id", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "key_id", "tenant__slug")
    autocomplete_fields = ("tenant",)
    ordering = ("-created_at",)
    add_fields = ("tenant", "name", "scopes", "expires_at", "requests_per_minute", "allowed_models")
    change_fields = ("allowed_models",)
    readonly_fields = (
        *("tenant", "name", "key_id", "scopes", "requests_per_minute", "created_by"),
        *("created_at", "last_used_at", "expires_at", "revoked_at"),
    )
    actions = ("revoke",)

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **options: Any) -> Any:
        if obj is None:
            options["form"] = NewApiKeyForm
        return super().get_form(request, obj, change, **options)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        tenant, operator = values.pop("tenant"), request.user.pk
        made = create_api_key(
            tenant=tenant.ref,
            scopes_granted=values.pop("scopes"),
            created_by=operator if isinstance(operator, UUID) else None,
            **values,
        )
        request.made_key = made  # type: ignore[attr-defined]
        return made.id

    def change(self, request: HttpRequest, row: ApiKey, values: dict[str, Any]) -> None:
        set_key_allowed(tenant=row.tenant.ref, key_id=row.key_id, allowed_models=values["allowed_models"])

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The key's text, in this answer alone: a message would carry it through a cookie."""
        page = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": request.made_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/new_api_key.html", page, headers={"Cache-Control": "no-store"})

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: "QuerySet[ApiKey]") -> None:
        rows = list(chosen.select_related("tenant"))
        for row in rows:
            revoke_api_key(tenant=row.tenant.ref, key_id=row.key_id)
        for row in rows:
            self.message_user(request, f"{row.name} ({row.key_id}) is revoked.")
