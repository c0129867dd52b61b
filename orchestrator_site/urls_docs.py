"""The API's description, for programs and for people."""

from django.urls import path

from orchestrator_site.openapi import pages

urlpatterns = [
    path("schema", pages.schema, name="schema"),
    path("docs", pages.swagger, name="swagger"),
    path("redoc", pages.redoc, name="redoc"),
]
