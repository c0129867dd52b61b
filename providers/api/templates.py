"""/v1/providers/templates and /v1/providers/from-template: providers made by filling in a form."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import InvalidRequest
from providers.actions.by_name import check_name, provider_named
from providers.actions.templates import create_from_template, create_template, delete_template
from providers.api.access import reader, writer
from providers.api.answers import (
    ProviderSchema,
    TemplateSchema,
    TemplatesSchema,
    page,
    shown_provider,
    shown_template,
)
from providers.api.bodies import FromTemplateBody, given
from providers.api.listing import PAGE, flag, parameters, text
from providers.scope import owner_scope
from providers.templates.built_in import built_in_templates
from providers.templates.own import find_template, list_templates


class TemplatesView(APIView):
    @extend_schema(
        operation_id="listTemplates",
        summary="List the templates that providers can be made from",
        description="Those of the platform and your own, in the order of their names. Scope `providers:read`.",
        parameters=[
            *PAGE,
            OpenApiParameter("wire", str, description="Only those of this wire format."),
            OpenApiParameter("own", bool, description="Only your own, or only the platform's."),
            OpenApiParameter("q", str, description="Only those whose name or title contains this."),
        ],
        responses={200: TemplatesSchema},
    )
    def get(self, request: Request) -> Response:
        caller = reader(request)
        asked = parameters(request.query_params.dict(), {"wire": text, "own": flag, "q": text})
        built_in, word = built_in_templates(), asked.get("q", "").lower()
        found = [
            shown_template(each, own=each.name not in built_in)
            for each in sorted(list_templates(owner=caller.tenant), key=lambda each: each.name)
            if each.name > asked["after"]
            and asked.get("wire", each.wire) == each.wire
            and asked.get("own", each.name not in built_in) == (each.name not in built_in)
            and (word in each.name or word in each.title.lower())
        ]
        return Response(page(found[: asked["limit"]], has_more=len(found) > asked["limit"]))

    @extend_schema(
        operation_id="createTemplate",
        summary="Register a template of your own",
        description="409 for a name that is taken, by the platform or by you. Scope `providers:write`.",
        request=OpenApiTypes.OBJECT,
        responses={201: TemplateSchema},
    )
    def post(self, request: Request) -> Response:
        tenant = writer(request).tenant
        if not isinstance(request.data, dict):
            raise InvalidRequest("A template is a JSON object.")
        return Response(shown_template(create_template(owner=tenant, document=request.data), own=True), status=201)


class TemplateView(APIView):
    @extend_schema(
        operation_id="retrieveTemplate",
        summary="Look at one template",
        description="Scope `providers:read`.",
        responses={200: TemplateSchema},
    )
    def get(self, request: Request, name: str) -> Response:
        found = find_template(owner=reader(request).tenant, name=name)
        return Response(shown_template(found, own=name not in built_in_templates()))

    @extend_schema(
        operation_id="deleteTemplate",
        summary="Remove a template of your own",
        description="Providers made from it stay as they are. Scope `providers:write`.",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        delete_template(owner=writer(request).tenant, name=name)
        return Response(status=204)


class FromTemplateView(APIView):
    @extend_schema(
        operation_id="createProviderFromTemplate",
        summary="Add a provider by filling in a template",
        description="Scope `providers:write`.",
        request=FromTemplateBody,
        responses={201: ProviderSchema},
    )
    def post(self, request: Request) -> Response:
        tenant, values = writer(request).tenant, given(FromTemplateBody, request)
        check_name(values["name"])
        create_from_template(owner=tenant, **values)
        with owner_scope(tenant):
            return Response(shown_provider(provider_named(values["name"])), status=201)
