"""What callers get to see, and how the document describes it."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from providers.api.bodies import ProviderBody
from providers.documents import credential_document, provider_document
from providers.models import Credential, Provider
from providers.templates.document import Template
from providers.templates.filling import form_schema


class CredentialSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["provider.credential"])
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    enabled = serializers.BooleanField()
    position = serializers.IntegerField()
    requests_per_minute = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProviderSchema(ProviderBody):
    object = serializers.ChoiceField(choices=["provider"])
    name = serializers.CharField()
    template = serializers.CharField(help_text="What it was made from, if from any.")
    credentials = CredentialSchema(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PageSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["list"])
    has_more = serializers.BooleanField(help_text="Then ask again with `after` set to the last name.")


# "data" is the name of a list's entries in the OpenAI API.
ProvidersSchema = type("ProvidersSchema", (PageSchema,), {"data": ProviderSchema(many=True)})
CredentialsSchema = type("CredentialsSchema", (PageSchema,), {"data": CredentialSchema(many=True)})


class TemplateFieldSchema(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=["text", "secret", "url"])
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.CharField(allow_blank=True)
    help = serializers.CharField(allow_blank=True)


class TemplateSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["provider.template"])
    name = serializers.CharField()
    title = serializers.CharField()
    docs = serializers.CharField(allow_blank=True)
    wire = serializers.CharField()
    base_url = serializers.CharField()
    own = serializers.BooleanField(help_text="Written by this tenant; the others come with the platform.")
    models = serializers.ListField(child=serializers.CharField())
    free = serializers.BooleanField()
    fields_to_fill = TemplateFieldSchema(many=True, help_text="A form: what `values` may hold.")


TemplatesSchema = type("TemplatesSchema", (PageSchema,), {"data": TemplateSchema(many=True)})


def shown_provider(row: Provider) -> dict[str, Any]:
    return {
        "object": "provider",
        **provider_document(row),
        "credentials": [shown_credential(each) for each in row.credentials.all()],
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def shown_credential(row: Credential) -> dict[str, Any]:
    return {
        "object": "provider.credential",
        "id": row.id,
        **credential_document(row),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def shown_template(template: Template, *, own: bool) -> dict[str, Any]:
    return {
        "object": "provider.template",
        **{name: getattr(template, name) for name in ("name", "title", "docs", "wire", "base_url")},
        "own": own,
        "models": list(template.models),
        "free": template.free,
        "fields_to_fill": [shown_field(each) for each in form_schema(template)],
    }


def shown_field(field: Any) -> dict[str, Any]:
    return {name: getattr(field, name) for name in ("name", "title", "kind", "required", "default", "help")}


def page(shown: list[dict[str, Any]], *, has_more: bool = False) -> Mapping[str, Any]:
    return {"object": "list", "data": shown, "has_more": has_more}
