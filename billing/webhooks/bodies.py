"""What callers send to /v1/webhooks."""

from rest_framework import serializers

from billing.webhooks.event_types import EVENT_TYPES, GROUPS
from providers.api.bodies import Body


class WebhookBody(Body):
    url = serializers.CharField(max_length=500, help_text="Where events are posted. Use https.")
    description = serializers.CharField(max_length=200, allow_blank=True, default="")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=63),
        default=list,
        max_length=100,
        help_text=f"Types, or groups of them; none for all. There are {', '.join((*GROUPS, *EVENT_TYPES))}.",
    )
    enabled = serializers.BooleanField(default=True)


class ReplayBody(Body):
    since = serializers.DateTimeField(help_text="Of events from then on.")


class ChangedWebhookBody(WebhookBody):
    """An answer can be changed and sent back."""

    shown_alone = frozenset(
        {
            "object",
            "id",
            "failing_since",
            "disabled_at",
            "disabled_reason",
            "previous_secret_until",
            "created_at",
            "updated_at",
        }
    )
