"""What is counted, and that labels stay few."""

from prometheus_client import REGISTRY

from gateway import metrics
from gateway.tests.conftest import body, settlements

EXPECTED = (
    "http_requests_total", "http_request_duration_seconds_count", "chat_completions_total", "chat_tokens_total",
    "conversations_total", "revenue_total_usd", "active_streams_current", "errors_total",
    "time_to_first_chunk_seconds_count", "gateway_overhead_seconds_count", "ledger_queue_rows",
    "ledger_queue_oldest_seconds",
)  # fmt: skip


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_completion_is_counted_once_with_its_tokens_and_revenue(gateway, tenant):
    names = {
        "requests": ("http_requests_total", {"method": "POST", "route": "/v1/chat/completions", "status": "2xx"}),
        "completions": ("chat_completions_total", {"provider": "tenant", "outcome": "completed", "stream": "true"}),
        "output": ("chat_tokens_total", {"provider": "tenant", "direction": "output"}),
        "revenue": ("revenue_total_usd", {}),
        "first chunk": ("time_to_first_chunk_seconds_count", {"provider": "tenant"}),
        "overhead": ("gateway_overhead_seconds_count", {}),
    }
    before = {what: value(name, **labels) for what, (name, labels) in names.items()}
    async with gateway.post(tenant.key, body(stream=True)) as response:
        await response.read()
    [row] = await settlements(gateway, response.headers["x-request-id"])
    grown = {what: value(name, **labels) - before[what] for what, (name, labels) in names.items()}
    revenue = grown.pop("revenue")
    assert grown == {"requests": 1, "completions": 1, "output": 5, "first chunk": 1, "overhead": 1}
    assert abs(revenue - row["charge_nano"] / 1e9) < 1e-12
    assert value("active_streams_current") == 0


async def test_every_metric_that_is_promised_exists(gateway, tenant):
    async with gateway.post(tenant.key, body(model="none")) as response:
        assert response.status == 404
    await gateway.services.show_gauges()
    samples = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    assert set(EXPECTED) <= samples
    assert "cache_operations" in {family.name for family in REGISTRY.collect()}


def test_codes_of_vendors_cannot_grow_the_labels_without_bound():
    for number in range(3 * metrics.KNOWN_CODES):
        metrics.record_error(f"vendor_code_{number}")
    metrics.record_error("not an identifier")
    families = {family.name: family for family in REGISTRY.collect()}
    seen = {sample.labels["code"] for sample in families["errors"].samples if sample.name == "errors_total"}
    assert len(seen) <= metrics.KNOWN_CODES + 1
    assert "other" in seen
