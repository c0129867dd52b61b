"""A new tenant's schema, from the committed dump."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from django.db import connection
from psycopg import sql

from tenants.grants import grant_tenant_schema

DUMP: Final = Path(__file__).with_name("tenant_schema.sql")
PLACEHOLDER: Final = "tenant_schema_placeholder"
SCHEMA_NAME: Final = re.compile(r"t_[a-z0-9_]{1,61}")

# Migrations of the shared apps make nothing in a tenant's schema, but Django records them there all the same. The
# tenant apps' own records are in the dump, beside the tables they made.
SHARED_RECORDS: Final = """
    INSERT INTO {schema}.django_migrations (app, name, applied)
    SELECT app, name, now() FROM public.django_migrations AS shared
    WHERE app NOT IN (SELECT app FROM {schema}.django_migrations)
    ORDER BY shared.id
"""


def make_schema(schema_name: str) -> None:
    """Makes and fills the schema. In the caller's transaction, as the owner (`tenants.door.owner_rights`)."""
    ddl = committed_ddl().replace(PLACEHOLDER, checked(schema_name))
    with connection.cursor() as cursor:
        cursor.execute(ddl)
        cursor.execute(sql.SQL(SHARED_RECORDS).format(schema=sql.Identifier(schema_name)))
    grant_tenant_schema(schema_name)


def checked(schema_name: str) -> str:
    """The name as it stands in the dump, unquoted. ValueError for one that would need quotes."""
    if not SCHEMA_NAME.fullmatch(schema_name):
        raise ValueError(f"{schema_name!r} is not the name of a tenant's schema")
    return schema_name


@cache
def committed_ddl() -> str:
    return DUMP.read_text()
