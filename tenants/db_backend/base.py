"""django-tenants' PostgreSQL backend, made to fail closed.

The parent swallows a failed `SET search_path`, so the statement that follows runs on whatever path the connection had
before: another tenant's. Here the failure is raised. Inside a transaction the path is set for that transaction alone,
so that it cannot outlive it.
"""

from typing import Any

from django_tenants.postgresql_backend import base
from django_tenants.utils import quote_schema_name
from psycopg import sql
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    def _handle_search_path(self, cursor: Any = None) -> None:
        """Sets the path before every statement; raises django.db.DatabaseError when that fails."""
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            # PostgreSQL itself refuses everything but a rollback now, and the rollback must get through.
            return
        statement = self._search_path_statement()
        if cursor is not None:
            cursor.execute(statement)
            return
        with self.wrap_database_errors, self.connection.cursor() as own_cursor:
            own_cursor.execute(statement)

    def _configure_role(self, connection: Any) -> bool:
        """Enters the role of the settings on a new raw connection.

        Django's own version asks the pool for a second connection to quote the role with, and so waits for itself.
        """
        role = self.settings_dict["OPTIONS"].get("assume_role")
        if role is None:
            return False
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        return True

    def _search_path_statement(self) -> str:
        # Without autocommit psycopg opens a transaction first; with it, LOCAL would silently do nothing.
        reach = "SESSION" if self.connection.autocommit else "LOCAL"
        path = ", ".join(quote_schema_name(name) for name in self._get_cursor_search_paths())
        return f"SET {reach} search_path = {path}"
