from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from tenants.actions.people import add_member, change_role, change_user, create_user, remove_member
from tenants.admin.base import ActionAdmin
from tenants.models import Membership, User


class NewUserForm(forms.ModelForm):  # type: ignore[type-arg]
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        required=False,
        help_text="Empty: this person cannot sign in by password.",
    )

    class Meta:
        model = User
        fields = ("email", "name", "is_staff")


@admin.register(User)
class UserAdmin(ActionAdmin[User]):
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    add_fields = ("email", "name", "password", "is_staff")
    change_fields = ("name", "is_active")
    readonly_fields = ("email", "is_staff", "id", "last_login", "created_at")

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **options: Any) -> Any:
        if obj is None:
            options["form"] = NewUserForm
        return super().get_form(request, obj, change, **options)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_user(
            email=values["email"],
            name=values["name"],
            password=values["password"] or None,
            is_operator=values["is_staff"],
        )

    def change(self, request: HttpRequest, row: User, values: dict[str, Any]) -> None:
        change_user(user_id=row.id, name=values["name"], is_active=values["is_active"])


@admin.register(Membership)
class MembershipAdmin(ActionAdmin[Membership]):
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__slug")
    autocomplete_fields = ("user", "tenant")
    add_fields = ("user", "tenant", "role")
    change_fields = ("role",)
    readonly_fields = ("user", "tenant", "created_at")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return add_member(tenant=values["tenant"].ref, user_id=values["user"].id, role=values["role"])

    def change(self, request: HttpRequest, row: Membership, values: dict[str, Any]) -> None:
        change_role(tenant=row.tenant.ref, user_id=row.user_id, role=values["role"])

    def remove(self, request: HttpRequest, row: Membership) -> None:
        remove_member(tenant=row.tenant.ref, user_id=row.user_id)
