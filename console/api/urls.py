"""Paths below /v1/."""

from django.urls import path

from console.api.health import ProviderHealthsView, ProviderHealthView
from console.api.model_refresh import ModelRefreshView
from console.api.models import ModelComparisonView, ModelProvidersView, ModelSearchView
from console.api.statistics import StatisticsView

urlpatterns = [
    path("models/providers", ModelProvidersView.as_view(), name="model_providers"),
    path("models/search", ModelSearchView.as_view(), name="model_search"),
    path("models/compare", ModelComparisonView.as_view(), name="model_comparison"),
    path("models/refresh", ModelRefreshView.as_view(), name="model_refresh"),
    path("health/providers", ProviderHealthsView.as_view(), name="provider_healths"),
    path("health/providers/<str:name>", ProviderHealthView.as_view(), name="provider_health"),
    path("statistics", StatisticsView.as_view(), name="statistics"),
]
