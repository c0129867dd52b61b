"""What the web process depends on, as checks."""

from collections.abc import Callable, Mapping

from django.db import connection

from common.redis import RedisConnection
from orchestrator_site.health.checks import Check, NotYet
from tenants.door import platform_db
from tenants.migration_state import is_up_to_date


def checks(*, redis: RedisConnection, accepting: Callable[[], bool]) -> Mapping[str, Check]:
    """`accepting`: whether the ledger takes new requests."""
    migrated = False

    async def database() -> None:
        await platform_db(ask_database)

    async def counters() -> None:
        await redis.call("PING")

    async def migrations() -> None:
        nonlocal migrated
        # What has been applied stays applied; asked once that is known, it costs nothing.
        migrated = migrated or await platform_db(is_up_to_date, "public")
        if not migrated:
            raise NotYet("migrations are missing")

    async def ledger() -> None:
        if not accepting():
            raise NotYet("takes no new requests")

    return {"database": database, "redis": counters, "migrations": migrations, "ledger": ledger}


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
