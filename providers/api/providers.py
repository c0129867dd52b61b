"""/v1/providers and /v1/providers/{name}: a tenant's own providers."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import InvalidRequest
from providers.actions.by_name import add_provider, amend_provider, provider_named, remove_provider
from providers.api.access import reader, writer
from providers.api.answers import ProviderSchema, ProvidersSchema, page, shown_provider
from providers.api.bodies import NamedProviderBody, NewProviderBody, given, offers_in
from providers.api.listing import PAGE, flag, parameters, text
from providers.models import Provider
from providers.scope import owner_scope
from tenants.identity import TenantRef

FILTERS = {"wire": text, "template": text, "enabled": flag, "q": text}
CONDITIONS = {"after": "name__gt", "wire": "wire", "template": "template", "enabled": "enabled", "q": "name__contains"}


class ProvidersView(APIView):
    @extend_schema(
        operation_id="listProviders",
        summary="List your own providers",
        description="In the order of their names. The platform's providers are not among them. Scope `providers:read`.",
        parameters=[
            *PAGE,
            OpenApiParameter("wire", str, description="Only those that speak this wire format."),
            OpenApiParameter("template", str, description="Only those made from this template."),
            OpenApiParameter("enabled", bool, description="Only those that are on, or off."),
            OpenApiParameter("q", str, description="Only those whose name contains this."),
        ],
        responses={200: ProvidersSchema},
    )
    def get(self, request: Request) -> Response:
        caller = reader(request)
        asked = parameters(request.query_params.dict(), FILTERS)
        chosen = {CONDITIONS[name]: value for name, value in asked.items() if name != "limit" and value != ""}
        with owner_scope(caller.tenant):
            rows = Provider.objects.filter(**chosen).prefetch_related("credentials", "offered_models").order_by("name")
            found = [shown_provider(row) for row in rows[: asked["limit"] + 1]]
        return Response(page(found[: asked["limit"]], has_more=len(found) > asked["limit"]))

    @extend_schema(
        operation_id="createProvider",
        summary="Add a provider of your own",
        description="It hides the platform's provider of the same name. Scope `providers:write`.",
        request=NewProviderBody,
        responses={201: ProviderSchema},
    )
    def post(self, request: Request) -> Response:
        caller = writer(request)
        values = given(NewProviderBody, request)
        name, offers = values.pop("name"), offers_in(values)
        add_provider(owner=caller.tenant, name=name, secret=values.pop("secret", None), offers=offers, values=values)
        return Response(shown(caller.tenant, name), status=201)


class ProviderView(APIView):
    @extend_schema(
        operation_id="retrieveProvider",
        summary="Look at one provider",
        description="Scope `providers:read`.",
        responses={200: ProviderSchema},
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(shown(reader(request).tenant, name))

    @extend_schema(
        operation_id="replaceProvider",
        summary="Write a provider anew",
        description="What is left out is as in a new one; models and secret stay. Scope `providers:write`.",
        request=NamedProviderBody,
        responses={200: ProviderSchema},
    )
    def put(self, request: Request, name: str) -> Response:
        return self.change(request, name, partial=False)

    @extend_schema(
        operation_id="changeProvider",
        summary="Change a provider",
        description="What is left out stays as it is. Scope `providers:write`.",
        request=NamedProviderBody,
        responses={200: ProviderSchema},
    )
    def patch(self, request: Request, name: str) -> Response:
        return self.change(request, name, partial=True)

    @extend_schema(
        operation_id="deleteProvider",
        summary="Remove a provider",
        description="With its credentials and models; routes pass over it from then on. Scope `providers:write`.",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        remove_provider(owner=writer(request).tenant, name=name)
        return Response(status=204)

    def change(self, request: Request, name: str, *, partial: bool) -> Response:
        caller = writer(request)
        with owner_scope(caller.tenant):
            provider_named(name)
        changes = given(NamedProviderBody, request, partial=partial)
        if changes.pop("name", name) != name:
            raise InvalidRequest("A provider keeps its name.", param="name")
        offers, secret = offers_in(changes), changes.pop("secret", None)
        amend_provider(owner=caller.tenant, name=name, changes=changes, secret=secret, offers=offers)
        return Response(shown(caller.tenant, name))


def shown(tenant: TenantRef, name: str) -> dict[str, Any]:
    with owner_scope(tenant):
        return shown_provider(provider_named(name))
