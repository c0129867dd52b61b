"""Rows as documents: what the API shows of them and what an export holds. No secret is ever part of one."""

from decimal import Decimal
from typing import Any, Final

from common.money import usd_from_nano
from providers.models import Credential, OfferedModel, Provider, ProviderTemplate, Route
from providers.route_documents import rule_document

# What a caller sets of a provider, each by its name in the row.
PROVIDER_FIELDS: Final = (
    "wire",
    "base_url",
    "headers",
    "credential_header",
    "quirks",
    "price_provider_id",
    "default_model",
    "health_interval_seconds",
    "connect_seconds",
    "first_byte_seconds",
    "first_chunk_seconds",
    "between_chunks_seconds",
    "total_seconds",
    "most_at_once",
    "enabled",
)
CREDENTIAL_FIELDS: Final = ("label", "enabled", "position", "requests_per_minute")
RATES: Final = ("input", "output", "cache_read", "cache_write", "input_audio", "output_audio")


def provider_document(row: Provider) -> dict[str, Any]:
    return {
        "name": row.name,
        "template": row.template,
        **{field: getattr(row, field) for field in PROVIDER_FIELDS},
        "models": [model_document(each) for each in row.offered_models.all()],
        "credentials": [credential_document(each) for each in row.credentials.all()],
    }


def model_document(row: OfferedModel) -> dict[str, Any]:
    """As `providers.catalogue_file` reads it. Without a price the price list is followed."""
    return {
        "name": row.name,
        "display_name": row.display_name,
        "context_window": row.context_window,
        "capabilities": row.capabilities,
        "enabled": row.enabled,
        "price": price_document(row),
    }


def price_document(row: OfferedModel) -> dict[str, str] | None:
    """USD per million tokens, and a call's fee in USD."""
    if row.input_nano_per_mtok is None:
        return None
    given = {part: getattr(row, f"{part}_nano_per_mtok") for part in RATES}
    shown = {part: plain(usd_from_nano(nano)) for part, nano in given.items() if nano is not None}
    return shown | {"request": plain(usd_from_nano(row.nano_per_request))}


def plain(usd: Decimal) -> str:
    whole, dot, places = f"{usd:f}".partition(".")
    return whole + (dot + places).rstrip("0").rstrip(".")


def credential_document(row: Credential) -> dict[str, Any]:
    return {field: getattr(row, field) for field in CREDENTIAL_FIELDS}


def route_document(row: Route) -> dict[str, Any]:
    return {
        "name": row.name,
        "strategy": row.strategy,
        "targets": [rule_document(each.as_rule()) for each in row.targets.all()],
        "policy": row.policy,
        "drop_params": row.drop_params,
        "enabled": row.enabled,
    }


def template_document(row: ProviderTemplate) -> dict[str, Any]:
    return dict(row.document)
