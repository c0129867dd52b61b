"""/v1/routes and /v1/routes/{name}: a tenant's own routes. A name may hold slashes and "*"."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import InvalidRequest
from providers.actions.routes import change_route, create_route, delete_route, route_named
from providers.api.access import reader, writer
from providers.api.answers import page
from providers.api.bodies import given
from providers.api.listing import PAGE, flag, parameters, text
from providers.api.route_bodies import NamedRouteBody, NewRouteBody, RouteSchema, RoutesSchema, shown_route
from providers.models import Route
from providers.models.route import Strategy
from providers.scope import owner_scope
from tenants.identity import TenantRef


def strategy(value: str) -> str:
    if value not in Strategy.values:
        raise ValueError(f"Use one of {', '.join(Strategy.values)}.")
    return value


FILTERS = {"strategy": strategy, "enabled": flag, "provider": text, "q": text}
CONDITIONS = {
    "after": "name__gt",
    "strategy": "strategy",
    "enabled": "enabled",
    "provider": "targets__provider_name",
    "q": "name__contains",
}


class RoutesView(APIView):
    @extend_schema(
        operation_id="listRoutes",
        summary="List your own routes",
        description="In the order of their names. The platform's routes are not among them. Scope `providers:read`.",
        parameters=[
            *PAGE,
            OpenApiParameter("strategy", str, enum=Strategy.values, description="Only those of this strategy."),
            OpenApiParameter("enabled", bool, description="Only those that are on, or off."),
            OpenApiParameter("provider", str, description="Only those with a target at this provider."),
            OpenApiParameter("q", str, description="Only those whose name contains this."),
        ],
        responses={200: RoutesSchema},
    )
    def get(self, request: Request) -> Response:
        caller = reader(request)
        asked = parameters(request.query_params.dict(), FILTERS)
        chosen = {CONDITIONS[name]: value for name, value in asked.items() if name != "limit" and value != ""}
        with owner_scope(caller.tenant):
            rows = Route.objects.filter(**chosen).distinct().prefetch_related("targets").order_by("name")
            found = [shown_route(row) for row in rows[: asked["limit"] + 1]]
        return Response(page(found[: asked["limit"]], has_more=len(found) > asked["limit"]))

    @extend_schema(
        operation_id="createRoute",
        summary="Add a route",
        description="It comes before the platform's route of the same name. Scope `providers:write`.",
        request=NewRouteBody,
        responses={201: RouteSchema},
    )
    def post(self, request: Request) -> Response:
        caller = writer(request)
        values = given(NewRouteBody, request)
        create_route(owner=caller.tenant, **values)
        return Response(shown(caller.tenant, values["name"]), status=201)


class RouteView(APIView):
    @extend_schema(
        operation_id="retrieveRoute",
        summary="Look at one route",
        description="Scope `providers:read`.",
        responses={200: RouteSchema},
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(shown(reader(request).tenant, name))

    @extend_schema(
        operation_id="replaceRoute",
        summary="Write a route anew",
        description="What is left out is as in a new one; what it learned stays. Scope `providers:write`.",
        request=NamedRouteBody,
        responses={200: RouteSchema},
    )
    def put(self, request: Request, name: str) -> Response:
        return self.change(request, name, partial=False)

    @extend_schema(
        operation_id="changeRoute",
        summary="Change a route",
        description="What is left out stays as it is; `targets` and `policy` are replaced whole. "
        "Scope `providers:write`.",
        request=NamedRouteBody,
        responses={200: RouteSchema},
    )
    def patch(self, request: Request, name: str) -> Response:
        return self.change(request, name, partial=True)

    @extend_schema(
        operation_id="deleteRoute",
        summary="Remove a route",
        description="Scope `providers:write`.",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        tenant = writer(request).tenant
        with owner_scope(tenant):
            delete_route(owner=tenant, route_id=route_named(name).id)
        return Response(status=204)

    def change(self, request: Request, name: str, *, partial: bool) -> Response:
        tenant = writer(request).tenant
        with owner_scope(tenant):
            known = route_named(name).id
        changes = given(NamedRouteBody, request, partial=partial)
        if changes.pop("name", name) != name:
            raise InvalidRequest("A route keeps its name.", param="name")
        change_route(owner=tenant, route_id=known, **changes)
        return Response(shown(tenant, name))


def shown(tenant: TenantRef, name: str) -> dict[str, Any]:
    with owner_scope(tenant):
        return shown_route(route_named(name))
