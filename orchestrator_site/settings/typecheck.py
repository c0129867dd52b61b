"""What the static checks load: the base with placeholders where the environment would speak."""

import os

PLACEHOLDERS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "typecheck-only-0123456789-abcdefghij",
    "API_KEY_PEPPER": "typecheck-only-0123456789-abcdefghij",
    "ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "ORCHESTRATOR_ENV": "local",
}
for name, value in PLACEHOLDERS.items():
    os.environ.setdefault(name, value)

from orchestrator_site.settings.base import *  # noqa: E402, F403
