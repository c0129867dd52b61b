"""What the public host serves."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from console.views import landing
from orchestrator_site.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", landing, name="home"),
    path("admin/", admin.site.urls),
    path("", include("orchestrator_site.urls_api")),
    path("", include("orchestrator_site.urls_docs")),
]
