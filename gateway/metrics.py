"""Every metric of the product. Labels have few values: route templates, classes of status, names the operator gave.

Providers of tenants share the label "tenant": their names are theirs, and unbounded.
"""

from collections import Counter as Counted
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from common.money import NANO_PER_USD
from providers.circuits import PLATFORM
from providers.wire.shapes import Target, Usage

if TYPE_CHECKING:
    from billing.ledger.writer import Gauges
    from gateway.attempt import Attempt
    from gateway.settling import Ending

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
OVERHEAD: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)

REQUESTS = Counter("http_requests_total", "HTTP requests answered.", ("method", "route", "status"))
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds", "From the request to the end of the answer.", ("route",), buckets=SECONDS
)
COMPLETIONS = Counter("chat_completions_total", "Attempts at a completion, settled.", ("provider", "outcome", "stream"))
TOKENS = Counter("chat_tokens_total", "Tokens of settled attempts.", ("provider", "direction"))
CONVERSATIONS = Counter("conversations_total", "Conversations begun.")
# Only ever grows; a Counter would be shown as revenue_total_usd_total.
REVENUE = Gauge("revenue_total_usd", "What tenants were charged, in USD.", multiprocess_mode="sum")
ACTIVE_STREAMS = Gauge("active_streams_current", "Streamed answers under way.", multiprocess_mode="livesum")
CACHE_OPERATIONS = Counter("cache_operations_total", "Lookups in the cache of answers.", ("operation", "result"))
IDEMPOTENT = Counter(
    "idempotent_requests_total", "Requests with an idempotency-key, done or answered again.", ("result",)
)
ERRORS = Counter("errors_total", "Errors told to callers.", ("code",))
FAILOVERS = Counter("failovers_total", "Attempts that failed, after which another was made.", ("provider",))
FIRST_CHUNK = Histogram(
    "time_to_first_chunk_seconds", "From dispatch to the first chunk.", ("provider",), buckets=SECONDS
)
GATEWAY_OVERHEAD = Histogram(
    "gateway_overhead_seconds", "From the request to the dispatch of its first attempt.", buckets=OVERHEAD
)
LEDGER_ROWS = Gauge("ledger_queue_rows", "Ledger rows not yet durable.", ("queue",), multiprocess_mode="livesum")
LEDGER_AGE = Gauge(
    "ledger_queue_oldest_seconds", "Age of the oldest such row.", ("queue",), multiprocess_mode="livemax"
)
LEDGER_OPEN = Gauge("ledger_open_intents", "Attempts not yet settled.", multiprocess_mode="livesum")
LEDGER_REFUSED = Gauge("ledger_refused_rows", "Rows that could never be written.", multiprocess_mode="livesum")
DECISIONS_DROPPED = Gauge(
    "decision_records_dropped", "Decision records that were given up.", multiprocess_mode="livesum"
)
# Every process knows of the same circuits.
CIRCUITS = Gauge(
    "target_circuits_current", "Targets that are left alone.", ("provider", "state"), multiprocess_mode="livemax"
)

KNOWN_CODES: Final = 200
codes: Final[set[str]] = set()
circuits_shown: Final[set[tuple[str, str]]] = set()


@cache
def requests(method: str, route: str, status: str) -> Counter:
    return REQUESTS.labels(method, route, status)


@cache
def request_seconds(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


@cache
def completions(provider: str, outcome: str, stream: bool) -> Counter:
    return COMPLETIONS.labels(provider, outcome, str(stream).lower())


@cache
def tokens(provider: str) -> tuple[Counter, Counter]:
    return TOKENS.labels(provider, "input"), TOKENS.labels(provider, "output")


@cache
def first_chunk(provider: str) -> Histogram:
    return FIRST_CHUNK.labels(provider)


def record_request(method: str, route: str, status: int, seconds: float) -> None:
    """One answered request; `route` is a template, never a path."""
    requests(method, route, f"{status // 100}xx").inc()
    request_seconds(route).observe(seconds)


def record_error(code: str) -> None:
    """An error told to a caller. Vendors' codes reach callers too: beyond a number of them they share a label."""
    if code not in codes:
        if len(codes) >= KNOWN_CODES or not code.isidentifier() or len(code) > 60:
            code = "other"
        codes.add(code)
    ERRORS.labels(code).inc()


def record_settlement(attempt: "Attempt", ending: "Ending", usage: Usage, charge_nano: int) -> None:
    provider = provider_label(attempt.target)
    completions(provider, ending.outcome, attempt.call.request.stream).inc()
    given, generated = tokens(provider)
    given.inc(usage.input_tokens)
    generated.inc(usage.output_tokens)
    REVENUE.inc(charge_nano / NANO_PER_USD)
    if ending.time_to_first_chunk_ms is not None:
        first_chunk(provider).observe(ending.time_to_first_chunk_ms / 1000)


def record_lookup(result: str) -> None:
    """`result` is hit, miss or bypass."""
    CACHE_OPERATIONS.labels("lookup", result).inc()


def record_failover(target: Target) -> None:
    FAILOVERS.labels(provider_label(target)).inc()


def provider_label(target: Target) -> str:
    return target.provider if target.provider_scope == "platform" else "tenant"


def show_ledger(gauges: "Gauges") -> None:
    """The ledger's queues as of now."""
    LEDGER_ROWS.labels("intents").set(gauges.intents_queued)
    LEDGER_ROWS.labels("settlements").set(gauges.settlements_queued)
    LEDGER_ROWS.labels("decisions").set(gauges.decisions_queued)
    LEDGER_AGE.labels("intents").set(gauges.oldest_intent_seconds)
    LEDGER_AGE.labels("settlements").set(gauges.oldest_settlement_seconds)
    LEDGER_OPEN.set(gauges.open_intents)
    LEDGER_REFUSED.set(gauges.refused_rows)
    DECISIONS_DROPPED.set(gauges.decisions_dropped)


def show_circuits(troubles: Mapping[tuple[str, str, str], int]) -> None:
    """As `gateway.targets.Board.troubles` counts them: by owner, provider and state."""
    counted = Counted[tuple[str, str]]()
    for (owner, provider, state), targets in troubles.items():
        counted[provider if owner == PLATFORM else "tenant", state] += targets
    circuits_shown.update(counted)
    for provider, state in circuits_shown:
        CIRCUITS.labels(provider, state).set(counted[provider, state])
