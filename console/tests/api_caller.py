"""Asking the control plane as a tenant's key does, and what the ledger says that the tenant used."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from billing.tests.entries import id_made_at, make_intent, make_settlement, store
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from tenants.actions.api_keys import create_api_key

USD = 10**9


def ask(tenant: Any, path: str, *, key: str | None = None, method: str = "get", body: Any = None, **query: Any) -> Any:
    """(status, answer) of a request below /v1/ with the tenant's key."""
    headers = {"host": tenant.host, "authorization": f"Bearer {key or tenant.key}"}
    sent = b"" if body is None else json.dumps(body).encode()
    response = Client().generic(
        method.upper(), f"/v1/{path}", sent, "application/json", headers=headers, query_params=query
    )
    return response.status_code, response.json()


def refused(tenant: Any, path: str, **options: Any) -> tuple[int, str, str | None]:
    """The status, code and parameter of a refusal."""
    status, answer = ask(tenant, path, **options)
    return status, answer["error"]["code"], answer["error"]["param"]


def key_with(tenant: Any, *scopes: str) -> str:
    return create_api_key(tenant=tenant.tenant, name="narrow", scopes_granted=list(scopes)).text


def offer(owner: Any, provider: str, *models: ModelOffer, **fields: Any) -> Any:
    made = create_provider(owner=owner, name=provider, base_url="https://models.example.com/v1", **fields)
    offer_models(owner=owner, provider_id=made, offers=list(models))
    return made


def used(tenant: Any, *, ago: timedelta = timedelta(minutes=5), asked: Any = None, **ending: Any) -> None:
    """One attempt that ended; `asked` is of its intent."""
    made = id_made_at(datetime.now(UTC) - ago)
    intent = make_intent(request_id=made, tenant_id=tenant.tenant.id, **(asked or {}))
    store(intents=[intent], settlements=[make_settlement(intent, **ending)])
