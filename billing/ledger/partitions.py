"""The months ahead. `billing_create_partitions` in the database does the work, as the owner of the tables.

Called after migrations and every hour; the writer calls it itself as a last resort.
"""

from datetime import date
from typing import Any

from django.db import connection

from tenants.door import platform_scope

MONTHS_AHEAD = 3


def create_partitions(*, today: date, months_ahead: int = MONTHS_AHEAD) -> int:
    """Make what is missing from last month to `months_ahead`. Returns how many tables were made; idempotent."""
    with platform_scope(), connection.cursor() as cursor:
        return sum(create_partition(cursor, add_months(today, ahead)) for ahead in range(-1, months_ahead + 1))


def create_partition(cursor: Any, month: date) -> int:
    cursor.execute("SELECT public.billing_create_partitions(%s)", [month])
    (made,) = cursor.fetchone()
    return int(made)


def add_months(day: date, months: int) -> date:
    """The first day of the month that many months away."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def partitions_exist() -> bool:
    """Whether this database has come to the migration that makes them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('public.billing_create_partitions(date)') IS NOT NULL")
        (exist,) = cursor.fetchone()
    return bool(exist)
