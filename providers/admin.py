"""The operators' pages on the platform's providers. They change things through the actions alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.errors import InvalidRequest
from providers.actions.credentials import change_credential, delete_credential, enable_credential, set_credential
from providers.actions.models import RATES, ModelOffer, change_model, offer_models, withdraw_model
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.actions.routes import change_route, create_route, delete_route
from providers.circuits_now import circuit_column
from providers.models import Credential, OfferedModel, Provider, Route
from providers.models.provider import wire_names
from providers.route_documents import read_policy, read_rules, rule_document
from providers.route_policy import TargetRule
from tenants.admin.base import ActionAdmin

SECONDS = ("connect_seconds", "first_byte_seconds", "first_chunk_seconds", "between_chunks_seconds", "total_seconds")


@admin.register(Provider)
class ProviderAdmin(ActionAdmin[Provider]):
    list_display = ("name", "wire", "base_url", "enabled", "updated_at")
    list_filter = ("wire", "enabled")
    search_fields = ("name", "base_url")
    ordering = ("name",)
    add_fields = change_fields = (
        *("name", "wire", "base_url", "price_provider_id", "headers", "credential_header", "quirks", "default_model"),
        *("mark_up_basis_points", "offered_to_plans", "health_interval_seconds", *SECONDS, "most_at_once", "enabled"),
    )

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*self.list_display, circuit_column())

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "wire":
            return forms.ChoiceField(choices=[(name, name) for name in wire_names()], initial="openai")
        return super().formfield_for_dbfield(db_field, request, **options)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_provider(owner=None, **values)

    def change(self, request: HttpRequest, row: Provider, values: dict[str, Any]) -> None:
        change_provider(owner=None, provider_id=row.id, **values)

    def remove(self, request: HttpRequest, row: Provider) -> None:
        delete_provider(owner=None, provider_id=row.id)


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]
    """Takes a secret; never holds the one that is stored, which is a field that no form may touch."""

    new_secret = forms.CharField(
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="Stored encrypted. It cannot be shown again; setting it replaces the one of the same label.",
    )

    class Meta:
        model = Credential
        fields = ("provider", "label")

    def _post_clean(self) -> None:
        """The action validates; the row's own field wants ciphertext, which is not made here."""

    def validate_unique(self) -> None:
        """The same label again means a new secret for it."""


@admin.register(Credential)
class CredentialAdmin(ActionAdmin[Credential]):
    """A secret is set, and never shown; what is said of it can be changed."""

    list_display = ("provider", "label", "position", "enabled", "created_at", "updated_at")
    list_select_related = ("provider",)
    list_filter = ("enabled",)
    search_fields = ("provider__name", "label")
    autocomplete_fields = ("provider",)
    ordering = ("provider__name", "position", "label")
    add_fields = ("provider", "label", "new_secret")
    change_fields = ("label", "position", "requests_per_minute", "enabled")
    readonly_fields = ("provider", "created_at", "updated_at")
    actions = ("switch_on", "switch_off")

    def get_form(
        self, request: HttpRequest, obj: Credential | None = None, change: bool = False, **options: Any
    ) -> Any:
        if obj is None:
            options["form"] = CredentialForm
        return super().get_form(request, obj, change, **options)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return set_credential(
            owner=None, provider_id=values["provider"].id, label=values["label"], secret=values["new_secret"]
        )

    def change(self, request: HttpRequest, row: Credential, values: dict[str, Any]) -> None:
        change_credential(owner=None, credential_id=row.id, **values)

    def remove(self, request: HttpRequest, row: Credential) -> None:
        delete_credential(owner=None, credential_id=row.id)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, chosen: "QuerySet[Credential]") -> None:
        self.switch(request, chosen, True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, chosen: "QuerySet[Credential]") -> None:
        self.switch(request, chosen, False)

    def switch(self, request: HttpRequest, chosen: "QuerySet[Credential]", enabled: bool) -> None:
        rows = list(chosen.select_related("provider"))
        for row in rows:
            enable_credential(owner=None, credential_id=row.id, enabled=enabled)
        for row in rows:
            self.message_user(
                request, f"{row.provider.name}, {row.label}: {'on' if enabled else 'off'}.", messages.SUCCESS
            )


@admin.register(OfferedModel)
class OfferedModelAdmin(ActionAdmin[OfferedModel]):
    list_display = ("name", "provider", "display_name", "context_window", "enabled")
    list_select_related = ("provider",)
    list_filter = ("enabled", "provider")
    search_fields = ("name", "display_name", "provider__name")
    autocomplete_fields = ("provider",)
    ordering = ("provider__name", "name")
    change_fields = ("name", "display_name", "context_window", "capabilities", *RATES, "enabled")
    add_fields = ("provider", *change_fields)
    readonly_fields = ("provider",)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        provider = values.pop("provider")
        offer_models(owner=None, provider_id=provider.id, offers=[offer(values)])
        return OfferedModel.objects.values_list("id", flat=True).get(provider=provider, name=values["name"])

    def change(self, request: HttpRequest, row: OfferedModel, values: dict[str, Any]) -> None:
        change_model(owner=None, model_id=row.id, offer=offer(values))

    def remove(self, request: HttpRequest, row: OfferedModel) -> None:
        withdraw_model(owner=None, model_id=row.id)


def offer(values: dict[str, Any]) -> ModelOffer:
    return ModelOffer(**{**values, "capabilities": tuple(values["capabilities"] or ())})


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    targets = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5, "cols": 100}),
        help_text=(
            "One a line, the first preferred: provider/model, or an object such as "
            '{"target": "openai/gpt-4o", "weight": 2, "credential": "main", "parameters": {"temperature": 0}}.'
        ),
    )

    class Meta:
        model = Route
        fields = ("name", "strategy", "policy", "drop_params", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            rules = [each.as_rule() for each in self.instance.targets.all()]
            self.initial["targets"] = "\n".join(rule_line(rule) for rule in rules)

    def clean_targets(self) -> list[Any]:
        lines = filter(None, map(str.strip, self.cleaned_data["targets"].splitlines()))
        targets = [line_content(line) for line in lines]
        with as_fault():
            read_rules(targets)
        return targets

    def clean_policy(self) -> Any:
        policy = self.cleaned_data["policy"] or {}
        with as_fault():
            read_policy(policy)
        return policy


def rule_line(rule: TargetRule) -> str:
    said = rule_document(rule)
    return rule.target if said.keys() == {"target"} else json.dumps(said, ensure_ascii=False)


def line_content(line: str) -> Any:
    if not line.startswith("{"):
        return line
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise forms.ValidationError(f"This line is no JSON: {line[:100]}") from None


@contextmanager
def as_fault() -> Iterator[None]:
    """What an action would refuse is shown beside its field."""
    try:
        yield
    except InvalidRequest as refused:
        raise forms.ValidationError(f"{refused.param}: {refused.message}") from None


@admin.register(Route)
class RouteAdmin(ActionAdmin[Route]):
    form = RouteForm
    list_display = ("name", "strategy", "enabled", "updated_at")
    list_filter = ("strategy", "enabled")
    search_fields = ("name",)
    ordering = ("name",)
    add_fields = change_fields = ("name", "strategy", "targets", "policy", "drop_params", "enabled")
    readonly_fields = ("learned",)

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_route(owner=None, **values)

    def change(self, request: HttpRequest, row: Route, values: dict[str, Any]) -> None:
        change_route(owner=None, route_id=row.id, **values)

    def remove(self, request: HttpRequest, row: Route) -> None:
        delete_route(owner=None, route_id=row.id)
