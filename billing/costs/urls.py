"""Paths below /v1/."""

from django.urls import path

from billing.costs.api import AnalyticsView, CostsView, MyUsageView

urlpatterns = [
    path("costs", CostsView.as_view(), name="costs"),
    path("costs/analytics", AnalyticsView.as_view(), name="cost_analytics"),
    path("users/me/usage", MyUsageView.as_view(), name="my_usage"),
]
