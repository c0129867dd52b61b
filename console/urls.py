"""The pages at a tenant's host."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from console import views


def not_offered(request: HttpRequest, **_: Any) -> HttpResponse:
    """allauth's own pages for changing an address: e-mail addresses here belong to the directory of people."""
    raise Http404


urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("accounts/email/", not_offered),
    path("accounts/confirm-email/", not_offered),
    path("accounts/confirm-email/<key>/", not_offered),
]
if not settings.MAIL_IS_SENT:
    urlpatterns.append(path("accounts/password/reset/", views.no_mail))
urlpatterns.append(path("accounts/", include("allauth.account.urls")))
