"""Paths below /v1/."""

from django.urls import path

from billing.api import UsageView

urlpatterns = [path("usage", UsageView.as_view(), name="usage")]
