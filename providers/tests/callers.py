"""Who calls the control plane in tests: a tenant's key with some scopes, over Django's own client."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from providers.models import Credential
from providers.scope import keyring, owner_scope, secret_place
from tenants.actions.api_keys import create_api_key
from tenants.identity import TenantRef

OWN_TEMPLATE = {
    "name": "in-house", "title": "In-house", "wire": "openai", "base_url": "https://{{REGION}}.example.com/v1",
    "fields": [
        {"name": "API_KEY", "title": "Key", "kind": "secret"},
        {"name": "REGION", "title": "Region", "default": "eu"},
    ],
    "models": ["house-1"],
}  # fmt: skip
BOTH = ("providers:read", "providers:write")


@dataclass(frozen=True)
class CallerOf:
    """Answers are (status, JSON or None)."""

    tenant: TenantRef
    key: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        client = Client(headers={"host": "localhost", "authorization": f"Bearer {self.key}", **headers})
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.generic(
            method.upper(), f"/v1/{path}", b"" if body is None else content, content_type="application/json"
        )
        return answer.status_code, answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str | None, str]:
        """Status, param and code of a refusal."""
        status, answer = self(method, path, body)
        assert answer is not None
        assert answer.keys() == {"error"}, answer
        return status, answer["error"]["param"], answer["error"]["code"]


def caller_of(tenant: TenantRef, *scopes: str, **options: Any) -> CallerOf:
    return CallerOf(tenant, create_api_key(tenant=tenant, name="api", scopes_granted=scopes or BOTH, **options).text)


def opened(tenant: TenantRef, label: str) -> str:
    """A secret, as it is used."""
    with owner_scope(tenant):
        row = Credential.objects.get(label=label)
        return keyring().decrypt(bytes(row.secret), place=secret_place(tenant, row.id)).decode()
