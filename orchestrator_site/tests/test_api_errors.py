"""Every refusal of the control plane has the shape that the SDKs read, and names the field."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory, override_settings
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import Conflict, RateLimited
from orchestrator_site.error_pages import server_error
from orchestrator_site.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500"]

RAISED: dict[str, Exception] = {
    "ours": Conflict("Taken.", param="slug"),
    "limit": RateLimited("Slow down.", retry_after=1.2),
    "throttled": Throttled(wait=7),
    "404": Http404(),
    "403": PermissionDenied(),
    "database": OperationalError("connection to 10.0.0.1 failed: password wrong"),
    "unforeseen": ValueError("secret detail"),
}


class Member(serializers.Serializer[Any]):
    email = serializers.EmailField()


class Body(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    members = Member(many=True, required=False)

    def validate(self, attributes):
        if attributes["name"] == "both":
            raise serializers.ValidationError("These do not go together.")
        return attributes


class View(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request, kind):
        raise RAISED[kind]

    def post(self, request, kind):
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({})


class Closed(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [
    path("v1/test/<kind>", View.as_view()),
    path("v1/closed", Closed.as_view()),
    path("v1/", include("billing.urls")),
]


@pytest.fixture
def call(client):
    client.raise_request_exception = False

    def ask(method, url, body=None, content_type="application/json", **headers):
        content = body if isinstance(body, str) else json.dumps(body)
        with override_settings(ROOT_URLCONF=__name__, PUBLIC_SCHEMA_URLCONF=__name__):
            return client.generic(
                method, url, content, content_type=content_type, headers=headers, HTTP_HOST="localhost"
            )

    return ask


def error_of(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "param", "code"}
    return body["error"]


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({}, "name", "required"),
        ({"name": "far too long"}, "name", "5 characters"),
        ({"name": "ok", "members": [{"email": "a@b.example"}, {"email": "none"}]}, "members[1].email", "valid email"),
        ({"name": "ok", "members": 3}, "members", "list"),
        ({"name": "both"}, None, "do not go together"),
        ([], None, "dictionary"),
    ],
)
def test_a_wrong_field_is_named(call, body, param, says):
    error = error_of(call("POST", "/v1/test/x", body), 400)
    assert error["param"] == param
    assert says in error["message"]
    assert error["type"] == "invalid_request_error"


def test_json_that_is_none(call):
    error = error_of(call("POST", "/v1/test/x", '{"name": '), 400)
    assert "JSON parse error" in error["message"]
    assert "line 1 column" in error["message"]


def test_another_content_type(call):
    error = error_of(call("POST", "/v1/test/x", "a=b", content_type="application/x-www-form-urlencoded"), 415)
    assert error["code"] == "unsupported_media_type"


def test_another_method(call):
    response = call("DELETE", "/v1/test/x")
    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert "POST" in response["Allow"]


@pytest.mark.parametrize(
    ("kind", "status", "code", "headers"),
    [
        ("ours", 409, "conflict", {}),
        ("limit", 429, "rate_limit_exceeded", {"Retry-After": "2"}),
        ("throttled", 429, "rate_limit_exceeded", {"Retry-After": "7"}),
        ("404", 404, "not_found", {}),
        ("403", 403, "permission_denied", {}),
        ("database", 503, "unavailable", {"Retry-After": "1"}),
        ("unforeseen", 500, "internal_error", {}),
    ],
)
def test_what_is_raised_is_told(call, kind, status, code, headers):
    response = call("GET", f"/v1/test/{kind}")
    error = error_of(response, status)
    assert error["code"] == code
    assert {name: response[name] for name in headers} == headers
    assert not {"secret detail", "10.0.0.1"} & set(error["message"].split())
    assert "secret detail" not in error["message"]
    assert "10.0.0.1" not in error["message"]


def test_the_field_of_our_own_errors_is_kept(call):
    assert error_of(call("GET", "/v1/test/ours"), 409)["param"] == "slug"


def test_nobody_signed_in(call):
    response = call("GET", "/v1/closed")
    assert error_of(response, 401)["code"] == "missing_api_key"
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
def test_a_key_that_was_never_one(call):
    error = error_of(call("GET", "/v1/closed", authorization="Bearer orc_nothing"), 401)
    assert error["code"] == "invalid_api_key"


def test_a_path_that_leads_nowhere_is_the_apis_business_below_v1(call):
    error = error_of(call("GET", "/v1/nothing"), 404)
    assert error["code"] == "unknown_url"
    assert "GET /v1/nothing" in error["message"]


def test_and_a_page_elsewhere(call):
    response = call("GET", "/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert "There is nothing here" in response.content.decode()


def test_a_database_that_is_away_is_not_called_our_fault():
    try:
        raise OperationalError("down")
    except OperationalError:
        response = server_error(RequestFactory().get("/"))
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
