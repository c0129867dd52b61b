"""The version of a tenant's configuration, and of the platform's: how a change reaches every process.

It is raised in the transaction of the change, and announced by NOTIFY at commit. A tenant's is pushed to Redis then,
where admission reads it on every request. A push that fails is made good by the announcement or by polling
(`tenants.snapshots.versions_of`), so Redis may be away or flushed.

    Redis   `tenants.identity.version_key`   the version, as a decimal number; it only grows
    NOTIFY  orchestrator_config              "<tenant id, hex>:<version>" or "platform:<version>"
"""

import logging
from functools import cache
from typing import Final
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction

from tenants.identity import version_key

logger = logging.getLogger(__name__)

CHANNEL: Final = "orchestrator_config"
PUSH_SECONDS: Final = 0.5

# Two changes may be pushed in either order; the greater version stays.
RAISE_TO = """
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > known then redis.call('SET', KEYS[1], ARGV[1]) end
"""


def raise_version(tenant_id: UUID) -> int:
    """The new version, in force everywhere once the caller's transaction commits. In any scope that sees the tenant."""
    version = _increment("UPDATE public.tenants_tenant SET config_version = config_version + 1", tenant_id)
    _announce(tenant_id.hex, version)
    transaction.on_commit(lambda: push(version_key(tenant_id), version))
    return version


def raise_platform_version() -> int:
    """The same for what all tenants share; in a platform scope."""
    version = _increment("UPDATE public.tenants_platformconfig SET version = version + 1", 1)
    _announce("platform", version)
    return version


def _increment(update: str, identifier: UUID | int) -> int:
    column = "config_version" if isinstance(identifier, UUID) else "version"
    with connection.cursor() as cursor:
        cursor.execute(f"{update} WHERE id = %s RETURNING {column}", [identifier])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"no configuration {identifier} is visible in this scope")
    return int(row[0])


def _announce(name: str, version: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{name}:{version}"])


def push(key: str, version: int) -> None:
    """Writes the version to Redis unless a later one is there. Never raises: NOTIFY and polling repair a miss."""
    try:
        redis_client().eval(RAISE_TO, 1, key, str(version))
    except redis.RedisError as error:
        logger.warning(
            "config version not pushed", extra={"key": key, "version": version, "error": type(error).__name__}
        )


@cache
def redis_client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.ENVIRONMENT.redis_url, socket_timeout=PUSH_SECONDS, socket_connect_timeout=PUSH_SECONDS
    )
