"""The ledger for operators: to look at, never to touch."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property

from billing.models import Decision, Intent, Process, Settlement
from billing.webhooks.models import OutboxEvent, WebhookDelivery, WebhookEndpoint
from common.money import usd_from_nano

MOST_COUNTED = 10_000
UNPRICED = ("price_version", admin.EmptyFieldListFilter)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than anyone pages: a count over years of ledger would take minutes."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EntryChangeList(ChangeList):
    """Links name the whole key of a row, since a request may have several."""

    def url_for_result(self, result: Any) -> str:
        place = f"{result.request_id}:{result.attempt}:{getattr(result, 'kind', 'intent')}"
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(place,))


class EntryAdmin(ReadOnlyAdmin):
    ordering = ("-request_id", "-attempt")
    search_fields = ("=request_id",)
    search_help_text = "A whole request id."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        request_id, _, rest = object_id.partition(":")
        attempt, _, kind = rest.partition(":")
        rows: QuerySet[Any] = self.get_queryset(request)
        if self.model is Settlement:
            rows = rows.filter(kind=kind)
        try:
            return rows.filter(request_id=request_id, attempt=int(attempt)).first()
        except (ValueError, TypeError, ValidationError):
            return None

    @admin.display(description="cost, USD")
    def cost_usd(self, row: Settlement) -> Decimal:
        return usd_from_nano(row.cost_nano)

    @admin.display(description="charge, USD")
    def charge_usd(self, row: Settlement) -> Decimal:
        return usd_from_nano(row.charge_nano)

    @admin.display(description="estimated cost, USD")
    def estimated_cost_usd(self, row: Intent) -> Decimal:
        return usd_from_nano(row.estimated_cost_nano)


@admin.register(Intent)
class IntentAdmin(EntryAdmin):
    list_display = ("request_id", "attempt", "tenant_id", "provider", "model", "dispatched_at", "estimated_cost_usd")
    list_filter = ("dispatched_at", "provider_scope", "stream")
    readonly_fields = ("estimated_cost_usd",)


@admin.register(Settlement)
class SettlementAdmin(EntryAdmin):
    list_display = (
        "request_id",
        "attempt",
        "kind",
        "tenant_id",
        "provider",
        "model",
        "started_at",
        "outcome",
        "usage_source",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "charge_usd",
    )
    list_filter = ("started_at", "kind", "outcome", "usage_source", "provider_scope", UNPRICED)
    readonly_fields = ("cost_usd", "charge_usd")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = (
        "request_id",
        "tenant_id",
        "requested_model",
        "route",
        "strategy",
        "outcome",
        "error_code",
        "cache",
        "decided_at",
        "duration_ms",
    )
    list_filter = ("decided_at", "outcome", "cache", "strategy", "stream")
    ordering = ("-request_id",)
    search_fields = ("=request_id",)
    search_help_text = "A whole request id."


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "host", "pid", "started_at", "heartbeat_at", "watermark_at", "ended_at", "reaped_at")
    list_filter = ("kind", "ended_at")
    ordering = ("-heartbeat_at",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Its secrets are on no page: a binary field is not shown."""

    list_display = ("id", "tenant_id", "url", "enabled", "disabled_reason", "failing_since", "created_at")
    list_filter = ("enabled", "disabled_reason", "created_at")
    ordering = ("-id",)
    search_fields = ("=id", "=tenant_id")
    search_help_text = "A whole id of a webhook or a tenant."


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "tenant_id", "type", "created_at", "fanned_out_at")
    list_filter = ("created_at", "type")
    ordering = ("-id",)
    search_fields = ("=id", "=tenant_id")
    search_help_text = "A whole id of an event or a tenant."


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("id", "tenant_id", "endpoint_id", "event_id", "status", "attempts", "response_status", "error")
    list_filter = ("created_at", "status", "error")
    ordering = ("-id",)
    search_fields = ("=id", "=tenant_id", "=event__id", "=endpoint__id")
    search_help_text = "A whole id of a delivery, a tenant, an event or a webhook."
