"""Paths below /v1/."""

from django.urls import path

from billing.webhooks import api

urlpatterns = [
    path("webhooks", api.WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<uuid:webhook_id>", api.WebhookView.as_view(), name="webhook"),
    path("webhooks/<uuid:webhook_id>/test", api.TrialView.as_view(), name="webhook_test"),
    path("webhooks/<uuid:webhook_id>/rotate-secret", api.RotateView.as_view(), name="webhook_rotate"),
    path("webhooks/<uuid:webhook_id>/deliveries", api.DeliveriesView.as_view(), name="webhook_deliveries"),
    path("webhooks/<uuid:webhook_id>/replay", api.ReplayFailedView.as_view(), name="webhook_replay_failed"),
    path("webhooks/deliveries/<uuid:delivery_id>/replay", api.ReplayView.as_view(), name="webhook_replay"),
]
