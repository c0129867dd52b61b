"""What a tenant's host serves."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.urls")),
    path("", include("orchestrator_site.urls_api")),
    path("", include("orchestrator_site.urls_docs")),
]

handler400 = "orchestrator_site.error_pages.bad_request"
handler403 = "orchestrator_site.error_pages.permission_denied"
handler404 = "orchestrator_site.error_pages.not_found"
handler500 = "orchestrator_site.error_pages.server_error"
