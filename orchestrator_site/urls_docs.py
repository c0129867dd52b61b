"""The API's description, for programs and for people, and what else every host has."""

from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from orchestrator_site.openapi import pages

urlpatterns = [
    path("schema", pages.schema, name="schema"),
    path("docs", pages.swagger, name="swagger"),
    path("redoc", pages.redoc, name="redoc"),
    # Browsers ask for it on pages that name no icon.
    path("favicon.ico", RedirectView.as_view(url=static("img/mark.svg"), permanent=True)),
]
