"""What costs extra is asked for at a tenant's own providers alone."""

import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.wire.registry import SPEECHES, spoken
from providers.wire.shapes import Target

HELLO = [{"role": "user", "content": "Hi"}]
ASKED: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": HELLO},
    "messages": {"model": "m", "max_tokens": 9, "messages": HELLO},
    "responses": {"model": "m", "input": "Hi"},
}
OWN = Target(
    provider="p", provider_scope="tenant", wire="openai", base_url="http://h", model="m", headers=(), price=None
)
PLATFORMS = msgspec.structs.replace(OWN, provider_scope="platform")


def asked(dialect, **fields):
    return SPEECHES[dialect].parse_request(json.dumps({**ASKED[dialect], **fields}).encode())


@pytest.mark.parametrize(
    ("dialect", "fields", "named"),
    [
        ("chat", {"service_tier": "priority"}, "service_tier"),
        ("chat", {"web_search_options": {}}, "web_search_options"),
        ("messages", {"speed": "fast"}, "speed"),
        ("messages", {"inference_geo": "us"}, "inference_geo"),
        ("messages", {"mcp_servers": []}, "mcp_servers"),
        ("messages", {"tools": [{"name": "a", "input_schema": {}}, {"type": "web_search_20250305"}]}, "tools[1].type"),
        ("responses", {"service_tier": "flex"}, "service_tier"),
    ],
)
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_at_the_platforms_providers_it_is_refused_by_name(dialect, fields, named, wire):
    with pytest.raises(InvalidRequest) as refusal:
        spoken(asked(dialect, **fields), msgspec.structs.replace(PLATFORMS, wire=wire))
    assert refusal.value.param == named


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        ("chat", {"service_tier": "auto"}),
        ("chat", {"service_tier": None}),
        ("chat", {"tools": [{"type": "function", "function": {"name": "a"}}]}),
        ("messages", {"service_tier": "standard_only"}),
        (
            "messages",
            {"tools": [{"name": "a", "input_schema": {}}, {"type": "custom", "name": "b", "input_schema": {}}]},
        ),
    ],
)
def test_what_is_usual_passes(dialect, fields):
    assert spoken(asked(dialect, **fields), msgspec.structs.replace(PLATFORMS, wire="openai"))


def test_at_a_tenants_own_provider_everything_passes():
    assert spoken(asked("chat", service_tier="priority", web_search_options={}), OWN)
