"""Whatever is sent, it is the sender's fault: no body makes the control plane stumble, or keeps it from answering."""

import random
from typing import Any

import pytest

from providers.tests.callers import OWN_TEMPLATE

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 100
VALUES: list[Any] = [
    None, "", "x" * 10_000, -1, 0, 2**31, 2**63, 10**400, 1.5, 1e308, [], {}, [[]], [{}], {"a": {}}, {"": ""}, True,
    "\u202e", "٣", "a\nb", "a/b", "..", "{{API_KEY}}", "{{X}}", ["x" * 500], [None], ["a", 1], {"x": None}, [0] * 3000,
]  # fmt: skip
NAMES = [
    "name", "base_url", "wire", "headers", "credential_header", "quirks", "default_model", "health_interval_seconds",
    "total_seconds", "enabled", "models", "secret", "label", "position", "requests_per_minute", "template", "values",
    "model", "config", "dry_run", "on_conflict", "fields", "listed_models", "price", "input", "paths", "request",
    "providers", "routes", "templates", "secrets", "targets", "credentials", "salt", "context_window", "capabilities",
    "policy", "strategy", "rule", "weight", "tags", "schedule", "time_zone", "fallbacks", "any", "hedge", "percent",
]  # fmt: skip


def nonsense(luck, depth=0):
    if depth < 3 and luck.random() < 0.4:
        return {luck.choice(NAMES): nonsense(luck, depth + 1) for _ in range(3)}
    return luck.choice(VALUES)


def spoiled(luck, body):
    """One value, here or somewhere within, is another."""
    inner = [each for each in body.values() if isinstance(each, dict) and each]
    if inner and luck.random() < 0.5:
        name = luck.choice([name for name, each in body.items() if isinstance(each, dict) and each])
        return body | {name: spoiled(luck, body[name])}
    return body | {luck.choice(list(body) if body and luck.random() < 0.6 else NAMES): nonsense(luck)}


def requests_of(round_, credential):
    provider = {"base_url": "https://x.example/v1", "secret": "sk", "models": ["m"], "headers": {"x": "y"}}
    route = {"name": "r", "targets": ["a/b"]}
    rule = {"target": "a/b", "weight": 2, "parameters": {"temperature": 0}, "schedule": {"time_zone": "UTC"}}
    policy = {"canary": {"target": "a/b", "percent": 1}, "hedge": {"percent": 1}, "fallbacks": {"any": ["a/c"]}}
    return [
        ("post", "routes", {"name": f"r{round_}", "targets": [rule], "policy": policy}),
        ("put", "routes/known", {"targets": [rule], "policy": policy}),
        ("patch", "routes/known", {"policy": policy}),
        ("post", "providers", provider | {"name": f"p{round_}"}),
        ("put", "providers/known", provider),
        ("patch", "providers/known", {"quirks": {"renamed": {"a": "b"}}}),
        ("post", "providers/known/credentials", {"label": f"l{round_}", "secret": "s"}),
        ("patch", credential, {"position": 3}),
        ("post", "providers/templates", OWN_TEMPLATE | {"name": f"t{round_}"}),
        ("post", "providers/from-template", {"template": "openai", "name": f"f{round_}", "values": {"API_KEY": "k"}}),
        (
            "post",
            "config/import",
            {"config": {"version": 1, "providers": [provider | {"name": "q"}], "routes": [route]}},
        ),
        ("post", "config/export", {"passphrase": "a long passphrase"}),
    ]


def test_nonsense_is_refused_and_does_no_harm(alice):
    alice("post", "providers", {"name": "known", "base_url": "https://x.example/v1", "secret": "sk", "models": ["m"]})
    alice("post", "routes", {"name": "known", "targets": ["a/b"]})
    [credential] = alice("get", "providers/known/credentials")[1]["data"]
    luck, statuses = random.Random(11), set()
    for round_ in range(ROUNDS):
        method, path, body = luck.choice(requests_of(round_, f"providers/known/credentials/{credential['id']}"))
        status, answer = alice(method, path, spoiled(luck, body))
        assert status < 500, (method, path, answer)
        statuses.add(status)
    assert {200, 201, 400} <= statuses
    for path in ("providers?limit=200", "config/export", "providers/templates?limit=200", "routes?limit=200"):
        assert alice("get", path)[0] == 200
