"""ADR-0001 names every table, its policy and its privileges as a migrated database has them."""

import re
from pathlib import Path

import pytest
from django.db import connection

from tenants.door import owner_rights, platform_scope

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adr" / "0001-tables.md").read_text()
PUBLIC, TENANT = PAGE.partition("### public")[2].split("### tenant schema")
LETTERS = "SIUD"

# Partitions aside. Privileges by their first letters, in the order of LETTERS.
TABLES = """
SELECT relname, relrowsecurity AND relforcerowsecurity AS bound,
    (SELECT array_agg(upper(left(privilege_type, 1))) FROM aclexplode(relacl) AS each
     WHERE each.grantee = 'orchestrator_app'::regrole) AS app,
    (SELECT array_agg(upper(left(privilege_type, 1))) FROM aclexplode(relacl) AS each
     WHERE each.grantee = 'orchestrator_system'::regrole) AS system
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


def documented():
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (own rows|all rows|closed)[^|]*\| ([\w–]+) \| (\w+) \|$", PUBLIC, re.MULTILINE
    )
    return {table: (policy, app, system) for table, policy, app, system in rows}


def policy(bound, app):
    if bound:
        return "own rows"
    return "all rows" if app else "closed"


def letters(privileges):
    return "".join(letter for letter in LETTERS if letter in (privileges or [])) or "–"


@pytest.mark.django_db(transaction=True)
def test_the_public_tables_are_as_written():
    with platform_scope(), owner_rights(), connection.cursor() as cursor:
        cursor.execute(TABLES)
        found = {
            table: (policy(bound, app), letters(app), letters(system))
            for table, bound, app, system in cursor.fetchall()
        }
    assert documented() == found


def test_the_tables_of_a_tenant_are_as_written():
    made = (ROOT / "tenants" / "provisioning" / "tenant_schema.sql").read_text()
    tables = set(re.findall(r"^CREATE TABLE \w+\.(\w+)", made, re.MULTILINE))
    assert set(re.findall(r"`((?:providers|chat|django)_\w+)`", TENANT.partition("## Consequences")[0])) == tables
