"""POST /v1/models/refresh."""

from dataclasses import asdict
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import InvalidRequest
from console.api.asking import query_of
from providers.refreshing import Refreshed, refresh_models
from tenants.api_authentication import caller_with
from tenants.scopes import Scope
from tenants.states import check_writable

MOST_PROVIDERS: Final = 100
NAMES_SHOWN: Final = 100


class RefreshBody(serializers.Serializer[Any]):
    providers = serializers.ListField(
        child=serializers.CharField(max_length=63),
        required=False,
        allow_empty=False,
        max_length=MOST_PROVIDERS,
        help_text="Names of your own providers; without it, all that are switched on.",
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(data.keys() - self.fields.keys())):
            raise InvalidRequest("There is no such field; there is providers.", param=unknown[0][:100])
        return super().to_internal_value(data)


class RefreshedSchema(serializers.Serializer[Any]):
    provider = serializers.CharField()
    status = serializers.ChoiceField(choices=["refreshed", "failed"])
    found = serializers.IntegerField(help_text="Models that it listed.")
    added = serializers.IntegerField(help_text="Of these, the ones that were not offered yet.")
    added_models = serializers.ListField(child=serializers.CharField(), help_text=f"The first {NAMES_SHOWN} of them.")
    ignored = serializers.IntegerField(help_text="Entries that name no model, or one that cannot be asked for.")
    cut = serializers.BooleanField(help_text="It listed more than is taken.")
    error = serializers.CharField(allow_null=True, help_text="Such as `upstream_timeout` or `no_model_list`.")
    message = serializers.CharField(allow_null=True)


# `data` is the lists' name in OpenAI's format.
RefreshSchema = type(
    "RefreshSchema",
    (serializers.Serializer,),
    {"object": serializers.ChoiceField(choices=["list"]), "data": RefreshedSchema(many=True)},
)


class ModelRefreshView(APIView):
    """Asks the tenant's own providers which models they have."""

    @extend_schema(
        operation_id="refreshModels",
        summary="Discover models",
        description=(
            "Asks your own providers which models they have, and offers the new ones. What is offered already stays as "
            "it is, and nothing is withdrawn. A provider that cannot be asked is told with its error, beside the "
            "others. Needs the scope `providers:write`."
        ),
        request=RefreshBody,
        responses={200: RefreshSchema},
    )
    def post(self, request: Request) -> Response:
        caller = caller_with(request, Scope.PROVIDERS_WRITE)
        check_writable(caller.state)
        query_of(request, ())
        body = RefreshBody(data=request.data)
        body.is_valid(raise_exception=True)
        found = refresh_models(caller.tenant, only=body.validated_data.get("providers", ()))
        return Response({"object": "list", "data": [rendered(each) for each in found]})


def rendered(one: Refreshed) -> dict[str, Any]:
    return {
        **asdict(one),
        "status": "failed" if one.error else "refreshed",
        "added": len(one.added),
        "added_models": list(one.added[:NAMES_SHOWN]),
        "error": one.error or None,
        "message": one.message or None,
    }
