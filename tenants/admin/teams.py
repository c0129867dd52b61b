from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.actions.teams import add_to_team, create_team, remove_from_team, remove_team, set_team_allowed
from tenants.admin.base import ActionAdmin
from tenants.models import Team, TeamMember


@admin.register(Team)
class TeamAdmin(ActionAdmin[Team]):
    list_display = ("name", "tenant", "created_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__slug")
    autocomplete_fields = ("tenant",)
    add_fields = ("tenant", "name", "allowed_models")
    change_fields = ("allowed_models",)
    readonly_fields = ("tenant", "name", "created_at")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_team(tenant=values["tenant"].ref, name=values["name"], allowed_models=values["allowed_models"])

    def change(self, request: HttpRequest, row: Team, values: dict[str, Any]) -> None:
        set_team_allowed(tenant=row.tenant.ref, team_id=row.id, allowed_models=values["allowed_models"])

    def remove(self, request: HttpRequest, row: Team) -> None:
        remove_team(tenant=row.tenant.ref, team_id=row.id)


@admin.register(TeamMember)
class TeamMemberAdmin(ActionAdmin[TeamMember]):
    list_display = ("team", "membership", "tenant")
    list_select_related = ("team", "membership__user", "tenant")
    search_fields = ("team__name", "membership__user__email")
    autocomplete_fields = ("team", "membership")
    add_fields = ("team", "membership")
    readonly_fields = ("team", "membership", "tenant")

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        team, membership = values["team"], values["membership"]
        return add_to_team(tenant=team.tenant.ref, team_id=team.id, user_id=membership.user_id)

    def remove(self, request: HttpRequest, row: TeamMember) -> None:
        remove_from_team(tenant=row.tenant.ref, team_id=row.team_id, user_id=row.membership.user_id)
