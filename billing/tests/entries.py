"""Intents, settlements and decision records to write, and a look at what was written."""

import os
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import dict_row

from billing.decisions.records import Considered, Decision, Tried
from billing.decisions.statements import INSERT_DECISIONS, encode_decisions
from billing.ledger import statements
from billing.ledger.rows import Intent, Settlement
from common.ids import created_at, earliest_id, new_id
from providers.wire.shapes import Usage


def id_made_at(moment):
    """A request id of that time, another at each call."""
    return UUID(int=earliest_id(moment).int | (new_id().int & ((1 << 62) - 1)))


def make_intent(**changes):
    request_id = changes.pop("request_id", None) or new_id()
    intent = Intent(
        request_id=request_id,
        attempt=1,
        tenant_id=new_id(),
        api_key_id=new_id(),
        user_id=None,
        provider="demo",
        provider_scope="platform",
        model="demo-chat",
        requested_model="default",
        stream=False,
        process_id=new_id(),
        dispatched_at=created_at(request_id),
        estimated_input_tokens=100,
        estimated_cost_nano=1_000,
        price_version="test-1",
    )
    return msgspec.structs.replace(intent, **changes)


def make_settlement(intent, **changes):
    settlement = Settlement(
        intent=intent,
        usage=Usage(input_tokens=90, output_tokens=30, cache_read_tokens=10),
        usage_source="provider",
        cost_nano=4_321,
        charge_nano=5_000,
        outcome="completed",
        finish_reason="stop",
        error_code=None,
        time_to_first_chunk_ms=12,
        duration_ms=34,
    )
    return msgspec.structs.replace(settlement, **changes)


def make_decision(intent, **changes):
    """Of a request whose first candidate was not asked and whose second answered."""
    decision = Decision(
        request_id=intent.request_id,
        tenant_id=intent.tenant_id,
        api_key_id=intent.api_key_id,
        user_id=intent.user_id,
        requested_model=intent.requested_model,
        dialect="chat",
        stream=intent.stream,
        outcome="answered",
        decided_at=created_at(intent.request_id),
        duration_ms=40,
        route="default",
        strategy="latency",
        considered=(
            Considered("vendor/large", "second", "target", "skipped", "open"),
            Considered("demo/demo-chat", "default", "target", "chosen", "fastest", score=1.5),
        ),
        tried=(Tried(intent.attempt, "demo/demo-chat", "default", "first", 5, 39, "completed", first_chunk_ms=17),),
        limits={"requests_remaining": 599},
    )
    return msgspec.structs.replace(decision, **changes)


def database_url():
    return os.environ["DATABASE_URL"]


def connect(role="orchestrator_system"):
    """A plain connection as one of the roles; None for the owner of the tables."""
    connection = psycopg.connect(database_url(), autocommit=True, row_factory=dict_row, connect_timeout=10)
    if role:
        connection.execute(f"SET ROLE {role}")
    return connection


def plain(query):
    """A statement of the writer's for a connection that does not speak of $1."""
    return query.decode().replace("$1", "%s")


def store(*, intents=(), settlements=(), decisions=()):
    with connect() as connection:
        connection.execute(plain(statements.INSERT_INTENTS), [statements.encode_intents(intents)])
        connection.execute(plain(statements.INSERT_SETTLEMENTS), [statements.encode_settlements(settlements)])
        connection.execute(plain(INSERT_DECISIONS), [encode_decisions(decisions)])


def rows(table, **where):
    """What is committed, oldest first."""
    condition = " AND ".join(f"{name} = %({name})s" for name in where)
    order = "request_id" if table == "billing_decision" else "request_id, attempt"
    with connect() as connection:
        return connection.execute(
            "SELECT *, tableoid::regclass::text AS partition, xmin::text AS wrote"
            f" FROM public.{table} WHERE {condition} ORDER BY {order}",
            where,
        ).fetchall()


def entries_of(intent):
    """The settlement and the correction of an attempt, by kind."""
    found = rows("billing_settlement", request_id=intent.request_id, attempt=intent.attempt)
    return {row["kind"]: row for row in found}


def register_process(process_id, *, heartbeat_at, watermark_at=None, ended_at=None):
    with connect() as connection:
        connection.execute(
            "INSERT INTO public.billing_process (id, kind, host, pid, started_at, heartbeat_at, watermark_at, ended_at)"
            " VALUES (%s, 'test', 'here', 1, %s, %s, %s, %s)",
            [process_id, heartbeat_at, heartbeat_at, watermark_at or heartbeat_at, ended_at],
        )


def utc_now():
    return datetime.now(UTC)
