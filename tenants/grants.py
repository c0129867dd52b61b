"""What the app role may do with the tables of Django and of other libraries, whose migrations are not ours to write.

Tables of our own apps say it in their migrations (`tenants.row_security`). Here what is not named stays closed.
"""

from collections.abc import Iterator

from django.db import connection
from psycopg import sql

from tenants.row_security import APP_ROLE, READ_AND_WRITE

APP_PRIVILEGES = {
    "account_emailaddress": READ_AND_WRITE,
    "account_emailconfirmation": READ_AND_WRITE,
    "auth_group": "SELECT",
    "auth_group_permissions": "SELECT",
    "auth_permission": "SELECT",
    "django_content_type": "SELECT",
    "django_migrations": "SELECT",
    "django_session": READ_AND_WRITE,
}


def grant_public_schema() -> None:
    """Repeatable; run by the owner at the end of every migration."""
    with connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        for table, privileges in APP_PRIVILEGES.items():
            if table in existing:
                cursor.execute(f'GRANT {privileges} ON public."{table}" TO {APP_ROLE}')


def grant_tenant_schema(schema_name: str) -> None:
    """Opens a tenant's schema to the app role, which enters it by search path. Repeatable; run by the owner."""
    with connection.cursor() as cursor:
        for statement in tenant_schema_grants(schema_name):
            cursor.execute(statement)


def tenant_schema_grants(schema_name: str) -> Iterator[sql.Composed]:
    names = {"schema": sql.Identifier(schema_name), "role": sql.Identifier(APP_ROLE)}
    for template in (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ):
        yield sql.SQL(template).format(**names)
