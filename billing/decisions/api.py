"""GET /v1/requests, GET /v1/requests/{id}."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.decisions.document import page_document, request_document
from billing.decisions.query import DEFAULT_DAYS, LONGEST_DAYS, OUTCOMES, parse_request_id, parse_wanted
from billing.decisions.reading import find, page
from billing.decisions.schema import RequestSchema, RequestsSchema
from common.errors import NotFound
from providers.api.listing import DEFAULT_LIMIT, MOST
from tenants.api_authentication import Caller, caller_with
from tenants.scopes import Scope

WHOSE = "With the scope `usage:read` of the whole tenant, with `completions:write` alone of the same key."


class RequestsView(APIView):
    """The tenant's requests and how they ended."""

    @extend_schema(
        operation_id="requests",
        summary="Requests and how they ended",
        description=f"The newest first. {WHOSE} A request is listed once it has ended.",
        parameters=[
            OpenApiParameter("limit", int, description=f"Most entries, 1 to {MOST}; {DEFAULT_LIMIT} without it."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="The id of the last entry seen."),
            OpenApiParameter("model", str, description="As the caller named it."),
            OpenApiParameter("route", str),
            OpenApiParameter("outcome", str, enum=OUTCOMES),
            OpenApiParameter("api_key_id", OpenApiTypes.UUID),
            OpenApiParameter(
                "since", OpenApiTypes.DATETIME, description=f"Without it, {DEFAULT_DAYS} days before `until`."
            ),
            OpenApiParameter(
                "until",
                OpenApiTypes.DATETIME,
                description=f"Not included; at most {LONGEST_DAYS} days after `since`. Without it, now.",
            ),
        ],
        responses={200: RequestsSchema},
    )
    def get(self, request: Request) -> Response:
        caller, made_with = caller_and_key(request)
        wanted = parse_wanted(request.query_params.dict(), now=datetime.now(UTC))
        return Response(page_document(page(caller.tenant, wanted, made_with=made_with)))


class RequestView(APIView):
    """Why one request was answered as it was."""

    @extend_schema(
        operation_id="request",
        summary="Why a request was answered as it was",
        description=(
            f"Who was considered and why, each attempt with its times and its cost, what the cache and the limits "
            f"said. {WHOSE}"
        ),
        parameters=[OpenApiParameter("request_id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses={200: RequestSchema},
    )
    def get(self, request: Request, request_id: str) -> Response:
        caller, made_with = caller_and_key(request)
        identifier = parse_request_id(request_id)
        trace = None if identifier is None else find(caller.tenant, identifier, made_with=made_with)
        if trace is None:
            raise NotFound("There is no such request.", param="request_id")
        return Response(request_document(trace, now=datetime.now(UTC)))


def caller_and_key(request: Request) -> tuple[Caller, UUID | None]:
    """Who asks, and the key that the requests shown must have been made with; None for any of the tenant's.

    Raises PermissionDenied for a key that may neither read the tenant's usage nor make requests of its own.
    """
    caller = cast(Caller, request.auth)
    if Scope.COMPLETIONS_WRITE in caller.scopes and Scope.USAGE_READ not in caller.scopes:
        return caller, caller.key_id
    return caller_with(request, Scope.USAGE_READ), None
