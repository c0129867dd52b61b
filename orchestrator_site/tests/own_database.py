"""A database and a Redis database of their own for tests that start the whole product."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from orchestrator_site.embedded.services import Addresses
from orchestrator_site.embedded.testing import ensure_test_services

# Below are those of the test runs; the tests' Valkey has 512.
FIRST_REDIS_DATABASE, LAST_REDIS_DATABASE = 32, 511


@contextmanager
def own_database(name: str) -> Iterator[Addresses]:
    """Empty ones called after `name` and TEST_DB_SUFFIX; gone afterwards."""
    name = f"{name}_{os.environ.get('TEST_DB_SUFFIX', 'main')}"
    shared = ensure_test_services()
    addresses = Addresses(with_path(shared.database_url, name), with_path(shared.redis_url, str(redis_database(name))))
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(shared.database_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        empty(addresses)
        try:
            yield addresses
        finally:
            empty(addresses)
            connection.execute(drop)


def with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def redis_database(name: str) -> int:
    number = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    return FIRST_REDIS_DATABASE + number % (LAST_REDIS_DATABASE - FIRST_REDIS_DATABASE + 1)


def empty(addresses: Addresses) -> None:
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.flushdb()
