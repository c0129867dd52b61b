"""Pages about cost on a ledger of millions: how long each takes, and that its sums are the ledger's to the nano."""

import json
import random
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from benchmarks.load.percentiles import percentile
from benchmarks.platform import PROVIDER, TENANT, Platform
from benchmarks.report import Check, Report
from benchmarks.soak.ledger_rows import connect
from common.ids import new_id

Progress = Callable[[str], None]
DAYS: Final = 30
# The tenant that is asked for has a fifth of all rows; the others lie in between.
TENANTS: Final = 5
# Each of its keys is a person's, who uses two models.
KEYS: Final = 20
AT_ONCE: Final = 200_000
ROUNDS: Final = 40
MOST_MS: Final = 200.0
# Nobody asks for a completion here.
NOWHERE: Final = "http://127.0.0.1:9"
ROLL: Final = "from billing.rollups.rolling import roll\nwhile roll().behind: pass"

FILL: Final = """
INSERT INTO billing_settlement (
    request_id, attempt, kind, month, tenant_id, api_key_id, user_id, provider, provider_scope, model, requested_model,
    stream, process_id, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
    input_audio_tokens, output_audio_tokens, usage_source, cost_nano, charge_nano, price_version, outcome, started_at,
    time_to_first_chunk_ms, duration_ms, settled_at)
SELECT request_id, 1, 'settlement', billing_month_of(request_id), tenant_id, (%(keys)s::uuid[])[1 + person],
    (%(keys)s::uuid[])[1 + person], 'vendor-' || liking %% 3, 'platform', 'model-' || liking, 'default',
    person %% 2 = 0, request_id, 100 + number %% 50, number %% 40, 0, 0, 0, 0, 0, 'provider', 1000003 * (number %% 97),
    1100009 * (number %% 89), 'soak-1', CASE WHEN number %% 51 = 0 THEN 'failed' ELSE 'completed' END, made_at,
    CASE WHEN person %% 2 = 0 THEN 20 END, 300, made_at + interval '2 seconds'
FROM (
    SELECT number, made_at, number / cardinality(%(tenants)s::uuid[]) %% cardinality(%(keys)s::uuid[]) AS person,
        (number / cardinality(%(tenants)s::uuid[]) + number / 1000 %% 2) %% 4 AS liking,
        (%(tenants)s::uuid[])[1 + number %% cardinality(%(tenants)s::uuid[])] AS tenant_id,
        (lpad(to_hex((extract(epoch FROM made_at) * 1000)::bigint), 12, '0') || '70008'
            || substr(md5(number::text), 1, 15))::uuid AS request_id
    FROM (
        SELECT number, %(until)s::timestamptz - %(span)s::interval * (1 - number / %(rows)s::float8) AS made_at
        FROM generate_series(%(first)s, %(last)s) AS number) AS spread) AS made
"""
PAGES: Final = {
    "/v1/costs": "/v1/costs?timezone=UTC",
    "a week by day and model": "/v1/costs/analytics?period=7d&interval=day&group_by=model&timezone=Asia/Kathmandu",
    "a month by model and user": "/v1/costs/analytics?period=30d&group_by=model,user",
    "a month by hour": "/v1/costs/analytics?period=30d&interval=hour",
    "/v1/usage of a month": "/v1/usage",
}


def soak(progress: Progress, *, requests: int = 10_000_000, seed: int = 9) -> Report:
    """`requests`: rows of the ledger."""
    platform = Platform.start({PROVIDER: (NOWHERE, ["mock"])})
    try:
        return measured(platform, progress, requests, seed)
    finally:
        platform.stop()


def measured(platform: Platform, progress: Progress, rows: int, seed: int) -> Report:
    until = datetime.now(UTC)
    tenant = fill(platform, progress, rows, until)
    started = time.monotonic()
    progress("rolling up")
    platform.command("shell", "-c", ROLL, timeout=7200)
    seconds = time.monotonic() - started
    progress(f"rolled up in {seconds:.0f} s")
    with connect(platform) as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE billing_rollup, billing_settlement, billing_decision")
    times = asked(platform, seed)
    checks = [
        Check(f"{name}: p95 below {MOST_MS:.0f} ms", f"{percentile(found, 95):.0f} ms", percentile(found, 95) < MOST_MS)
        for name, found in times.items()
    ]
    notes = [
        f"{rows:,} rows rolled up in {seconds:.0f} s, {rows / seconds:,.0f} a second.",
        *(f"{name}: median {percentile(found, 50):.0f} ms." for name, found in times.items()),
    ]
    return Report(
        name="soak-costs",
        title="Pages about cost on a ledger of millions",
        parameters={"rows": rows, "tenants": TENANTS, "days": DAYS, "rounds": ROUNDS, "seed": seed},
        checks=[*checks, exact(platform, tenant, until)],
        notes=notes,
    )


def fill(platform: Platform, progress: Progress, rows: int, until: datetime) -> UUID:
    with connect(platform) as connection:
        connection.autocommit = True
        found = connection.execute("SELECT id FROM tenants_tenant WHERE slug = %s", [TENANT]).fetchone()
        assert found is not None
        parameters: dict[str, Any] = {
            "tenants": [found[0], *(new_id() for _ in range(TENANTS - 1))],
            "keys": [new_id() for _ in range(KEYS)],
            "until": until,
            "span": timedelta(days=DAYS),
            "rows": rows,
        }
        for first in range(0, rows, AT_ONCE):
            last = min(first + AT_ONCE, rows) - 1
            connection.execute(FILL, {**parameters, "first": first, "last": last})
            progress(f"{last + 1:,} of {rows:,} rows")
    return UUID(str(found[0]))


def asked(platform: Platform, seed: int) -> dict[str, list[float]]:
    """Milliseconds of each page, asked in a random order; the first round, which warms up, is left out."""
    order = random.Random(seed)
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for turn in range(ROUNDS + 1):
        for name in order.sample(list(PAGES), len(PAGES)):
            started = time.perf_counter()
            read(platform, PAGES[name])
            if turn:
                times[name].append(1000 * (time.perf_counter() - started))
    return times


def read(platform: Platform, path: str) -> Any:
    headers = {"Authorization": f"Bearer {platform.api_key}"}
    with urllib.request.urlopen(
        urllib.request.Request(platform.base_url + path, headers=headers), timeout=60
    ) as answer:
        return json.load(answer)


def exact(platform: Platform, tenant: UUID, until: datetime) -> Check:
    first = (until - timedelta(days=DAYS + 2)).date()
    path = f"/v1/costs/analytics?from={first}&to={until.date() + timedelta(days=2)}&group_by=model,user"
    shown = read(platform, path)
    with connect(platform) as connection:
        found = connection.execute(
            "SELECT count(*), sum(cost_nano), sum(charge_nano) FROM billing_settlement WHERE tenant_id = %s", [tenant]
        ).fetchone()
    total = shown["total"]
    said = (total["requests"], total["cost_nano_usd"], total["charge_nano_usd"])
    rows = sum(row["cost_nano_usd"] for row in shown["rows"])
    assert found is not None
    summed = tuple(int(each) for each in found)
    held = said == summed and rows == summed[1]
    return Check("the figures are the ledger's to the nano", f"{said} and {summed}", held)
