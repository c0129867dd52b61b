"""Paths below /v1/."""

from django.urls import include, path

from billing.api import UsageView
from billing.decisions.api import RequestsView, RequestView

urlpatterns = [
    path("", include("billing.costs.urls")),
    path("usage", UsageView.as_view(), name="usage"),
    path("requests", RequestsView.as_view(), name="requests"),
    path("requests/<str:request_id>", RequestView.as_view(), name="request"),
    path("", include("billing.webhooks.urls")),
]
