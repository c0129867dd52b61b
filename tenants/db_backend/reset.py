"""What happens to a pooled connection between two borrowers."""

from typing import Any

from django.conf import settings
from psycopg import Connection

FORGET = """
    SELECT set_config('search_path', 'pg_catalog', false),
           set_config('app.tenant_id', '', false),
           set_config('role', %s, false)
"""


def forget_tenant(connection: Connection[Any]) -> None:
    """The pool's `reset` callback: no path, no tenant, and the role that row-level security binds.

    Whatever it raises makes the pool close the connection and open a fresh one.
    """
    connection.autocommit = True
    role = settings.DATABASES["default"]["OPTIONS"].get("assume_role", "none")
    connection.execute(FORGET, [role])
