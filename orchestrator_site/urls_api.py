"""The control plane's API, on every host; the completion endpoints are served before Django (gateway.edge)."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("billing.urls")),
    path("v1/", include("providers.urls")),
    path("v1/", include("chat.urls")),
    path("v1/", include("console.api.urls")),
]
