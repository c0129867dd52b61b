"""Paths below /v1/."""

from django.urls import path

from providers.api.config import ExportView, ImportView
from providers.api.credentials import CredentialsView, CredentialView
from providers.api.providers import ProvidersView, ProviderView
from providers.api.routes import RoutesView, RouteView
from providers.api.templates import FromTemplateView, TemplatesView, TemplateView
from providers.api.trial import TrialView

urlpatterns = [
    path("config/export", ExportView.as_view(), name="config_export"),
    path("config/import", ImportView.as_view(), name="config_import"),
    path("routes", RoutesView.as_view(), name="routes"),
    path("routes/<path:name>", RouteView.as_view(), name="route"),
    path("providers", ProvidersView.as_view(), name="providers"),
    path("providers/templates", TemplatesView.as_view(), name="provider_templates"),
    path("providers/templates/<str:name>", TemplateView.as_view(), name="provider_template"),
    path("providers/from-template", FromTemplateView.as_view(), name="provider_from_template"),
    path("providers/<str:name>", ProviderView.as_view(), name="provider"),
    path("providers/<str:name>/test", TrialView.as_view(), name="provider_test"),
    path("providers/<str:name>/credentials", CredentialsView.as_view(), name="credentials"),
    path("providers/<str:name>/credentials/<uuid:credential_id>", CredentialView.as_view(), name="credential"),
]
