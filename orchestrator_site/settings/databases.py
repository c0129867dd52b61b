"""Django's DATABASES from a URL."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from common.postgres import GIVEN_UP_WHEN_SILENT
from orchestrator_site.settings.environment import ConfigurationError

APP_ROLE = "orchestrator_app"


def database(url: str) -> dict[str, Any]:
    """Settings of one PostgreSQL database, entered as the role that row-level security binds."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ConfigurationError("DATABASE_URL must look like postgresql://user:password@host:port/name")
    return {
        "ENGINE": "tenants.db_backend",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            **GIVEN_UP_WHEN_SILENT,
            "assume_role": APP_ROLE,
            **dict(parse_qsl(parts.query)),
        },
    }
