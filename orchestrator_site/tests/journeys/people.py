"""Tenants and keys of the journeys beside the demo's, made in one process: a command for each would take a minute.

Run as `manage.py shell -c`; prints JSON, the text of every key by its name.
"""

import json
import sys
from typing import Any

from tenants.actions.api_keys import create_api_key
from tenants.actions.tenants import create_tenant
from tenants.snapshots import find_tenant

KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "limited": ("acme", {"requests_per_minute": 1}),
    "reads models": ("acme", {"scopes_granted": ["models:read"]}),
    "writes completions": ("acme", {"scopes_granted": ["completions:write"]}),
    "to revoke": ("acme", {}),
    "to expire": ("umbrella", {}),
    "initech": ("initech", {}),
    "hooli": ("hooli", {}),
}


def make() -> None:
    for slug in ("initech", "hooli", "umbrella"):
        create_tenant(slug=slug, name=slug)
    made = {}
    for name, (slug, options) in KEYS.items():
        tenant = find_tenant(slug)
        assert tenant is not None
        made[name] = create_api_key(tenant=tenant, name=name, **options).text
    sys.stdout.write(json.dumps(made))
