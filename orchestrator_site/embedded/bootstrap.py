"""The application's login role and database, made by the superuser."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection, sql

from orchestrator_site.embedded.notes import Notes

SUPERUSER = "postgres"
LOGIN_ROLE = "orchestrator"
DATABASE = "orchestrator"


def bootstrap(connect: Callable[[str], Connection[Any]], notes: Notes) -> None:
    """Makes what is missing; safe to repeat, also after being cut short. `connect` takes a database's name."""
    with connect("postgres") as connection:
        prepare(connection, connect, notes)


def prepare(connection: Connection[Any], connect: Callable[[str], Connection[Any]], notes: Notes) -> None:
    if not exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", LOGIN_ROLE):
        create_login_role(connection, notes.password(LOGIN_ROLE))
    if not exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        # Only a superuser may add it, and every database made from here on is a copy of template1.
        with connect("template1") as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS vector")
        create_database(connection)


def exists(connection: Connection[Any], query: str, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None


def create_login_role(connection: Connection[Any], password: str) -> None:
    """A role that may make databases and roles, and enter the roles it makes, but has no right by inheriting them.

    Inheritance would let it through every policy that names one of those roles.
    """
    role = sql.Identifier(LOGIN_ROLE)
    with connection.transaction():
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD {}").format(role, password)
        )
        connection.execute(sql.SQL("ALTER ROLE {} SET createrole_self_grant = 'set'").format(role))


def create_database(connection: Connection[Any]) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(LOGIN_ROLE))
    )
