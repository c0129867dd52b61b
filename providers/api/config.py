"""/v1/config/export and /v1/config/import: a tenant's configuration as one document."""

from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import InvalidRequest, PermissionDenied
from common.passphrase import WrongPassphrase, opened, sealed
from providers.actions.config import Taken, import_config
from providers.api.access import reader, writer
from providers.api.bodies import given
from providers.api.config_bodies import ConfigBody, ImportBody, PassphraseBody, arrivals
from providers.scope import owner_scope
from providers.whole_config import Secrets, all_secrets, config_document
from tenants.ownership import is_owner

HISTORY = OpenApiParameter("history", bool, description="Also who changed what when, as far as it is kept.")


class ChangeSchema(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["provider", "credential", "model", "route", "template"])
    name = serializers.CharField(
        help_text="As `openai`; a model's or credential's after its provider's, `openai/gpt-5`."
    )
    action = serializers.ChoiceField(choices=["created", "updated", "removed"])
    fields = serializers.ListField(child=serializers.CharField(), help_text="Of an update; never their values.")  # type: ignore[assignment]
    by = serializers.CharField(allow_null=True, help_text="`user:` or `key:` and an id; null for the platform.")


class ConfigSchema(ConfigBody):
    object = serializers.ChoiceField(choices=["config"])
    exported_at = serializers.DateTimeField()
    history = ChangeSchema(many=True, required=False, help_text="The newest first; with `history=true` alone.")


class TakenSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["config.import"])
    dry_run = serializers.BooleanField()
    created = serializers.ListField(child=serializers.CharField(), help_text="As `providers/openai`.")
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="There already in another form: without `replace`, conflicts."
    )
    unchanged = serializers.ListField(child=serializers.CharField())
    missing_secrets = serializers.ListField(
        child=serializers.CharField(), help_text="Credentials left out, since nobody has their secrets."
    )


class ExportView(APIView):
    @extend_schema(
        operation_id="exportConfig",
        summary="Export the configuration",
        description="Your own providers, routes and templates, without secrets. Scope `providers:read`.",
        parameters=[HISTORY],
        responses={200: ConfigSchema},
    )
    def get(self, request: Request) -> Response:
        return answered(config_document(owner=reader(request).tenant, history=history_wanted(request)))

    @extend_schema(
        operation_id="exportConfigWithSecrets",
        summary="Export the configuration with its secrets, encrypted",
        description=(
            "Needs a key that belongs to an owner of the tenant, and the scope `providers:write`. The secrets are "
            "encrypted under your passphrase (scrypt, AES-256-GCM), which is kept nowhere."
        ),
        parameters=[HISTORY],
        request=PassphraseBody,
        responses={200: ConfigSchema},
    )
    def post(self, request: Request) -> Response:
        caller = writer(request)
        if not is_owner(caller.tenant, caller.user_id):
            raise PermissionDenied("Only a key that belongs to an owner exports secrets.", code="owner_required")
        passphrase, history = given(PassphraseBody, request)["passphrase"], history_wanted(request)
        with owner_scope(caller.tenant):
            document, secrets = config_document(owner=caller.tenant, history=history), all_secrets(owner=caller.tenant)
        return answered(document | {"secrets": sealed(msgspec.json.encode(secrets), passphrase)})


class ImportView(APIView):
    @extend_schema(
        operation_id="importConfig",
        summary="Import a configuration",
        description=(
            "All of it or nothing; what is there and not named stays. 409 names what is there already in another form. "
            "Scope `providers:write`."
        ),
        request=ImportBody,
        responses={200: TakenSchema},
    )
    def post(self, request: Request) -> Response:
        caller = writer(request)
        asked = given(ImportBody, request)
        taken = import_config(
            owner=caller.tenant,
            **arrivals(asked["config"]),
            secrets=secrets_in(asked),
            replace=asked["on_conflict"] == "replace",
            dry_run=asked["dry_run"],
        )
        return Response(shown(taken, asked["dry_run"]))


def history_wanted(request: Request) -> bool:
    """Raises InvalidRequest."""
    wish = request.query_params.get("history", "false")
    if wish not in ("true", "false"):
        raise InvalidRequest("history is true or false.", param="history")
    return wish == "true"


def secrets_in(asked: dict[str, Any]) -> Secrets:
    """Raises InvalidRequest naming what keeps them from being opened."""
    envelope, passphrase = asked["config"].get("secrets"), asked.get("passphrase")
    if envelope is None or passphrase is None:
        return {}
    try:
        return msgspec.json.decode(opened(envelope, passphrase), type=Secrets)
    except (WrongPassphrase, msgspec.DecodeError):
        raise InvalidRequest("The passphrase does not open the secrets.", param="passphrase") from None


def answered(document: dict[str, Any]) -> Response:
    return Response(document, headers={"Cache-Control": "no-store"})


def shown(taken: Taken, dry_run: bool) -> dict[str, Any]:
    return {
        "object": "config.import",
        "dry_run": dry_run,
        "created": taken.created,
        "changed": taken.changed,
        "unchanged": taken.unchanged,
        "missing_secrets": taken.missing_secrets,
    }
