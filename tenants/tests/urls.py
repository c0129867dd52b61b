"""Pages enough to try the middleware and the admin."""

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def whose(request: HttpRequest) -> JsonResponse:
    tenant = request.tenant  # type: ignore[attr-defined]
    return JsonResponse({"tenant": tenant and tenant.slug})


class Me(APIView):
    def get(self, request: Request) -> Response:
        return Response({"tenant": request.auth.tenant.slug, "scopes": sorted(request.auth.scopes)})  # type: ignore[union-attr]


urlpatterns = [
    path("admin/", admin.site.urls),
    path("page", whose),
    path("v1/me", Me.as_view()),
]
