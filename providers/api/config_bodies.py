"""What an import holds, as DRF checks and documents it: what an export gave."""

from typing import Any

import msgspec
from rest_framework import serializers

from common.errors import InvalidRequest
from common.passphrase import LONGEST, SHORTEST
from providers.actions.config import Arrival
from providers.api.bodies import MOST_MODELS, Body, CredentialBody, ModelField, ProviderBody, offers_in, refuse_twice
from providers.api.route_bodies import PolicyField, TargetField
from providers.models.route import Strategy
from providers.templates.document import read_template
from providers.whole_config import VERSION

MOST = 1000


class ImportedCredential(CredentialBody):
    secret = None  # type: ignore[assignment]


class ImportedProvider(ProviderBody):
    secret = None  # type: ignore[assignment]
    name = serializers.CharField(max_length=63)
    template = serializers.CharField(max_length=63, allow_blank=True, default="")
    models = serializers.ListField(child=ModelField(), default=list, max_length=MOST_MODELS)
    credentials: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=ImportedCredential(), default=list, max_length=MOST
    )


class ImportedRoute(Body):
    name = serializers.CharField(max_length=200)
    strategy = serializers.ChoiceField(choices=Strategy.choices, default=Strategy.PRIORITY)
    drop_params = serializers.BooleanField(default=False)
    enabled = serializers.BooleanField(default=True)
    targets = serializers.ListField(child=TargetField(), max_length=MOST)
    policy = PolicyField(default=dict)


class EnvelopeBody(Body):
    """Made by an export with a passphrase."""

    method = serializers.CharField()
    salt = serializers.CharField()
    nonce = serializers.CharField()
    ciphertext = serializers.CharField()


class ConfigBody(Body):
    """What `GET /v1/config/export` answers with."""

    shown_alone = frozenset({"object", "exported_at", "history"})

    version = serializers.ChoiceField(choices=[VERSION])
    providers: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=ImportedProvider(), default=list, max_length=MOST
    )
    routes: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=ImportedRoute(), default=list, max_length=MOST
    )
    templates = serializers.ListField(child=serializers.DictField(), default=list, max_length=MOST)
    secrets = EnvelopeBody(required=False, allow_null=True)


class PassphraseBody(Body):
    passphrase = serializers.CharField(
        min_length=SHORTEST, max_length=LONGEST, trim_whitespace=False, help_text="Encrypts the secrets."
    )


class ImportBody(Body):
    config = ConfigBody()
    dry_run = serializers.BooleanField(default=False, help_text="Only tell what would happen.")
    on_conflict = serializers.ChoiceField(
        choices=["refuse", "replace"],
        default="refuse",
        help_text="What to do when something of the same name is there in another form: import nothing, or overwrite.",
    )
    passphrase = serializers.CharField(
        max_length=LONGEST, required=False, trim_whitespace=False, help_text="Opens the secrets, if there are any."
    )


def arrivals(config: dict[str, Any]) -> dict[str, list[Arrival]]:
    """`providers`, `routes` and `templates`. Raises InvalidRequest naming the place."""
    found = {
        "providers": [provider_in(each, f"config.providers[{i}]") for i, each in enumerate(config["providers"])],
        "routes": [route_in(each) for each in config["routes"]],
        "templates": [template_in(each, f"config.templates[{i}]") for i, each in enumerate(config["templates"])],
    }
    for kind, named in found.items():
        refuse_twice(f"config.{kind}", [each.name for each in named])
    return found


def provider_in(values: dict[str, Any], place: str) -> Arrival:
    try:
        offers = offers_in(values)
    except InvalidRequest as refused:
        raise InvalidRequest(refused.message, param=f"{place}.{refused.param}") from None
    return Arrival(values.pop("name"), offers=offers, credentials=values.pop("credentials"), values=values)


def route_in(values: dict[str, Any]) -> Arrival:
    return Arrival(values.pop("name"), values)


def template_in(document: dict[str, Any], place: str) -> Arrival:
    try:
        template = read_template(document)
    except InvalidRequest as refused:
        raise InvalidRequest(refused.message, param=f"{place}.{refused.param}") from None
    return Arrival(template.name, msgspec.to_builtins(template))
