"""The platform's providers of the journeys, all at one uneven price: the last digit of a cost depends on rounding.

voice     the demo provider
mock      the fault-injecting upstream, with deadlines short enough for a test to wait for
patient   the same with long ones
nowhere   a port where nobody listens
aimock    an independent mock, written in another language by other people
llmock    another
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.rates import Rates
from orchestrator_site.tests.journeys.peers import PEER_MODELS, Peer

RATES = Rates()
SHORT = {"connect": 1, "first_byte": 0.5, "between_chunks": 0.5, "total": 5}
TASK_MODELS = ["text-embedding-3-small", "omni-moderation-latest", "gpt-image-1", "gpt-4o-mini-tts", "whisper-1"]
# It fails for a second from when it is first asked, says when to come back, and is well from then on.
RECOVERING = {status: f"mock-flap-status-{status}-seconds-1-retry-1" for status in (429, 503)}


def catalogue(upstream_url: str, demo_url: str, peers: Mapping[str, Peer]) -> dict[str, Any]:
    """In the form of MODEL_CONFIGS. URLs of peers and of the demo provider end in /v1, the upstream's doesn't."""
    upstream = f"{upstream_url}/v1"
    return {
        "providers": [
            {"key_env": "DEMO_PROVIDER_KEY", **provider("voice", demo_url, ["demo-chat", "demo-mini"])},
            {"deadlines": SHORT, **provider("mock", upstream, ["mock", "mock-503", *RECOVERING.values()])},
            provider("patient", upstream, ["mock"]),
            {"deadlines": SHORT, **provider("nowhere", "http://127.0.0.1:9/v1", ["nothing"])},
            *(provider(name, peer.base_url, PEER_MODELS) for name, peer in peers.items()),
            *(other_wires(peers["aimock"].base_url.removesuffix("/v1")) if "aimock" in peers else ()),
        ],
        "routes": [
            {"name": "careful", "targets": ["nowhere/nothing", "mock/mock-503", "voice/demo-mini"]},
            {"name": "forgiving", "targets": ["aimock-anthropic/claude-sonnet-4-5"], "drop_params": True},
            {"name": "doomed", "targets": ["nowhere/nothing", "mock/mock-503"]},
        ],
    }


def other_wires(root: str) -> list[dict[str, Any]]:
    """aimock speaks every vendor's own wire at the vendor's own path."""
    return [
        {"wire": "anthropic", **provider("aimock-anthropic", f"{root}/v1", ["claude-sonnet-4-5"])},
        {"wire": "gemini", **provider("aimock-gemini", f"{root}/v1beta", ["gemini-2.5-flash"])},
        {"wire": "ollama", **provider("aimock-ollama", root, ["llama3.2"])},
        provider("aimock-tasks", f"{root}/v1", TASK_MODELS),
        {"quirks": {"paths": {"rerank": "/rerank"}}, **provider("aimock-cohere", f"{root}/v2", ["rerank-v3.5"])},
    ]


def provider(name: str, base_url: str, models: list[str]) -> dict[str, Any]:
    price = {part: RATES.usd(part) for part in ("input", "output", "cache_read")}
    return {"name": name, "base_url": base_url, "models": [{"name": model, "price": price} for model in models]}


def cost_of(usage: Any) -> int:
    """Nano-USD of an answer by the usage that its provider told the caller."""
    details = getattr(usage, "prompt_tokens_details", None)
    cached = (details.cached_tokens or 0) if details else 0
    return RATES.cost(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, cached_tokens=cached)
