"""What callers get to see of webhooks, and how the document describes it. No secret is part of it."""

from typing import Any

from rest_framework import serializers

from billing.webhooks.bodies import WebhookBody
from billing.webhooks.models import WebhookDelivery, WebhookEndpoint
from providers.api.answers import PageSchema

ENDPOINT_FIELDS = (
    "id",
    "url",
    "description",
    "event_types",
    "enabled",
    "failing_since",
    "disabled_at",
    "previous_secret_until",
    "created_at",
    "updated_at",
)


class WebhookSchema(WebhookBody):
    object = serializers.ChoiceField(choices=["webhook"])
    id = serializers.UUIDField()
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="When it first failed without succeeding since. After 3 days it is switched off."
    )
    disabled_at = serializers.DateTimeField(allow_null=True, help_text="When the platform switched it off.")
    disabled_reason = serializers.ChoiceField(
        choices=["gone", "failing"], allow_null=True, help_text="`gone`: it answered 410; `failing`: for 3 days."
    )
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then two secrets sign, after a rotation."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewWebhookSchema(WebhookSchema):
    secret = serializers.CharField(help_text="`whsec_…`, shown this once.")


class EventSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Sent as `webhook-id`, the same on every attempt.")
    type = serializers.CharField()
    created_at = serializers.DateTimeField()


class DeliverySchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["webhook.delivery"])
    id = serializers.UUIDField()
    webhook_id = serializers.UUIDField()
    event = type("DeliveredEventSchema", (EventSchema,), {"data": serializers.DictField()})()
    status = serializers.ChoiceField(choices=WebhookDelivery.STATUSES)
    attempts = serializers.IntegerField(help_text="Those before a replay included.")
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    response_status = serializers.IntegerField(allow_null=True, help_text="Of the last attempt.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of the last attempt.")
    error = serializers.ChoiceField(
        choices=["timeout", "unreachable", "address_refused", "refused", "secret_unreadable"],
        allow_null=True,
        help_text="What was wrong with the last attempt; `refused` for a status that is not 2xx.",
    )
    created_at = serializers.DateTimeField()


class ReplayedSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["webhook.replay"])
    replayed = serializers.IntegerField(help_text="Deliveries that are due again.")


# "data" is the name of a list's entries in the OpenAI API.
WebhooksSchema = type("WebhooksSchema", (PageSchema,), {"data": WebhookSchema(many=True)})
DeliveriesSchema = type("DeliveriesSchema", (PageSchema,), {"data": DeliverySchema(many=True)})


def endpoint_document(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "object": "webhook",
        **{name: getattr(row, name) for name in ENDPOINT_FIELDS},
        "disabled_reason": row.disabled_reason or None,
    }


def delivery_document(row: WebhookDelivery) -> dict[str, Any]:
    """Of a row whose event is loaded."""
    event = row.event
    return {
        "object": "webhook.delivery",
        "id": row.id,
        "webhook_id": row.endpoint_id,
        "event": {"id": event.id, "type": event.type, "created_at": event.created_at, "data": event.payload},
        "status": row.status,
        "attempts": row.attempts,
        "last_attempt_at": row.last_attempt_at,
        "next_attempt_at": row.next_attempt_at,
        "response_status": row.response_status,
        "duration_ms": row.duration_ms,
        "error": row.error or None,
        "created_at": row.created_at,
    }
