"""Who may touch which public table, stated in the migration that makes it.

Two roles, neither of which logs in: `orchestrator_app` is bound to one tenant by `app.tenant_id`; `orchestrator_system`
sees every tenant and is entered through `tenants.door.platform_scope` alone. The owner of the tables makes and alters
them; forced row-level security binds it too, so without a policy of its own it sees nothing.

A new table of the public schema is open to the system role and closed to the app role until its migration says more.
"""

from django.db.migrations import RunSQL

APP_ROLE = "orchestrator_app"
SYSTEM_ROLE = "orchestrator_system"
READ_AND_WRITE = "SELECT, INSERT, UPDATE, DELETE"
APPEND_ONLY = "SELECT, INSERT"

CURRENT_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"

# The roles belong to the whole cluster, and several databases of it may be migrated at once: making one may lose a
# race, and so may a grant ("tuple concurrently updated", an internal error).
ROLES = """
DO $$
DECLARE
    wanted text;
    granted boolean;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['orchestrator_app', 'orchestrator_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        FOR attempt IN 1..20 LOOP
            BEGIN
                IF current_setting('server_version_num')::int >= 160000 THEN
                    EXECUTE format(
                        'SELECT EXISTS (SELECT FROM pg_auth_members WHERE roleid = %L::regrole'
                        ' AND member = current_user::regrole AND set_option)', wanted
                    ) INTO granted;
                    IF NOT granted THEN
                        EXECUTE format('GRANT %I TO CURRENT_USER WITH SET TRUE, INHERIT FALSE', wanted);
                    END IF;
                ELSIF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
                    EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
                END IF;
                EXIT;
            EXCEPTION WHEN internal_error THEN
                PERFORM pg_sleep(0.05);
            END;
        END LOOP;
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA public TO orchestrator_app, orchestrator_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO orchestrator_system;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestrator_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO orchestrator_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO orchestrator_system;
"""


def protection(
    table: str, *, column: str = "tenant_id", app: str = READ_AND_WRITE, system: str = READ_AND_WRITE
) -> str:
    """SQL that binds the app role to the rows of its tenant, and grants both roles the privileges named.

    `column` holds the tenant's id. Pass APPEND_ONLY for a ledger and "" for no privilege. A partition needs this too:
    a query that names it directly is not bound by its parent's policies.
    """
    name = f'public."{table}"'
    statements = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f'CREATE POLICY "{table}_of_tenant" ON {name} TO {APP_ROLE}'
        f' USING ("{column}" = {CURRENT_TENANT}) WITH CHECK ("{column}" = {CURRENT_TENANT})',
        f'CREATE POLICY "{table}_of_system" ON {name} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)',
        *grants(table, app=app, system=system),
    ]
    return ";\n".join(statements) + ";"


def grants(table: str, *, app: str = "", system: str = READ_AND_WRITE) -> list[str]:
    """Statements that leave both roles with exactly the privileges named on a public table."""
    name = f'public."{table}"'
    given = [
        f"GRANT {privileges} ON {name} TO {role}"
        for privileges, role in ((app, APP_ROLE), (system, SYSTEM_ROLE))
        if privileges
    ]
    return [f"REVOKE ALL ON {name} FROM {APP_ROLE}, {SYSTEM_ROLE}", *given]


def protect(
    table: str, *, column: str = "tenant_id", app: str = READ_AND_WRITE, system: str = READ_AND_WRITE
) -> list[RunSQL]:
    """`protection` as operations of the migration that makes the table."""
    undo = (
        f'DROP POLICY "{table}_of_tenant" ON public."{table}"; DROP POLICY "{table}_of_system" ON public."{table}";'
        f' ALTER TABLE public."{table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY'
    )
    return [RunSQL(protection(table, column=column, app=app, system=system), undo)]


def allow(table: str, *, app: str = "", system: str = READ_AND_WRITE) -> list[RunSQL]:
    """`grants` as operations, for a public table that belongs to no tenant and so needs no policy."""
    return [RunSQL(";\n".join(grants(table, app=app, system=system)), RunSQL.noop)]
