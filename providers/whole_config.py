"""A tenant's whole configuration as one document, and the secrets that it leaves out."""

import logging
from datetime import UTC, datetime
from typing import Any, Final

from common.crypto import SecretUnreadable
from providers.documents import provider_document, route_document, template_document
from providers.history import history_document
from providers.models import Credential, Provider, ProviderTemplate, Route
from providers.scope import Owner, in_owner_scope, keyring, secret_place

logger = logging.getLogger(__name__)

VERSION: Final = 1

# Of each provider by name, of each credential by label.
Secrets = dict[str, dict[str, str]]


@in_owner_scope
def config_document(*, owner: Owner, history: bool = False) -> dict[str, Any]:
    """With `history` also who changed what when, which an import passes over."""
    providers = Provider.objects.order_by("name").prefetch_related("offered_models", "credentials")
    routes = Route.objects.order_by("name").prefetch_related("targets")
    document = {
        "object": "config",
        "version": VERSION,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "providers": [provider_document(row) for row in providers],
        "routes": [route_document(row) for row in routes],
        "templates": [template_document(row) for row in ProviderTemplate.objects.order_by("name")],
    }
    return document | {"history": history_document(owner=owner)} if history else document


@in_owner_scope
def all_secrets(*, owner: Owner) -> Secrets:
    """For an envelope alone. One that cannot be opened is left out and said aloud."""
    found: Secrets = {}
    for row in Credential.objects.select_related("provider"):
        try:
            secret = keyring().decrypt(bytes(row.secret), place=secret_place(owner, row.id))
        except SecretUnreadable as error:
            logger.error("credential unreadable", extra={"provider": row.provider.name, "error": str(error)})
            continue
        found.setdefault(row.provider.name, {})[row.label] = secret.decode()
    return found
