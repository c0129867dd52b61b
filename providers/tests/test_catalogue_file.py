import json

import pytest

from common.errors import InvalidRequest
from providers.catalogue_file import read_catalogue_file

PROVIDER = {"name": "vllm", "base_url": "http://h/v1"}


def read(**content):
    return read_catalogue_file(json.dumps(content).encode())


def test_everything_that_can_be_said():
    file = read(
        providers=[
            {
                **PROVIDER,
                "key_env": "K",
                "deadlines": {"connect": 1},
                "headers": {"x-team": "r"},
                "quirks": {"unsupported": ["seed"]},
                "mark_up_basis_points": 250,
                "models": [
                    "plain",
                    {
                        "name": "full",
                        "capabilities": ["tools"],
                        "price": {"input": "0.15", "output": 0.6, "request": 0.001},
                    },
                ],
            }
        ],
        routes=[{"name": "fast", "targets": ["vllm/plain"], "drop_params": True}],
    )
    provider = file.providers[0]
    assert provider.deadlines.connect == 1
    assert provider.deadlines.total == 1800
    assert [model.name for model in provider.models] == ["plain", "full"]
    offer = provider.models[1].offer()
    assert (offer.input_nano_per_mtok, offer.output_nano_per_mtok) == (150_000_000, 600_000_000)
    assert (offer.cache_read_nano_per_mtok, offer.nano_per_request) == (None, 1_000_000)
    assert provider.models[0].offer().input_nano_per_mtok is None
    assert (provider.quirks, provider.mark_up_basis_points) == ({"unsupported": ["seed"]}, 250)
    assert provider.offered_to_plans is None
    assert file.routes[0].targets == ("vllm/plain",)
    assert file.routes[0].drop_params


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"providers": {}}, "providers"),
        ({"providers": ["x"]}, "providers[0]"),
        ({"providers": [{"name": "x"}]}, "providers[0]"),
        ({"providers": [PROVIDER, {**PROVIDER, "name": 5}]}, "providers[1].name"),
        ({"providers": [PROVIDER, PROVIDER]}, "providers[1].name"),
        ({"providers": [{**PROVIDER, "key": "secret"}]}, "providers[0]"),
        ({"providers": [{**PROVIDER, "deadlines": {"connect": "x"}}]}, "providers[0].deadlines.connect"),
        ({"providers": [{**PROVIDER, "models": "x"}]}, "providers[0].models"),
        ({"providers": [{**PROVIDER, "models": ["a", 5]}]}, "providers[0].models[1]"),
        ({"providers": [{**PROVIDER, "models": ["a", "a"]}]}, "providers[0].models[1].name"),
        (
            {"providers": [{**PROVIDER, "models": [{"name": "a", "price": {"input": "x", "output": 1}}]}]},
            "providers[0].models[0].price.input",
        ),
        (
            {"providers": [{**PROVIDER, "models": [{"name": "a", "price": {"input": -1, "output": 1}}]}]},
            "providers[0].models[0].price.input",
        ),
        (
            {"providers": [{**PROVIDER, "models": [{"name": "a", "price": {"input": 1, "output": "NaN"}}]}]},
            "providers[0].models[0].price.output",
        ),
        (
            {"providers": [{**PROVIDER, "models": [{"name": "a", "price": {"input": 1}}]}]},
            "providers[0].models[0].price",
        ),
        ({"routes": [{"name": "r", "targets": "x"}]}, "routes[0].targets"),
        ({"routes": [{"name": "r", "targets": []}, {"name": "r", "targets": []}]}, "routes[1].name"),
        ({"model": []}, None),
    ],
)
def test_a_fault_is_named_by_its_place(content, place):
    with pytest.raises(InvalidRequest) as refusal:
        read(**content)
    assert refusal.value.param == place


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": \xff}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(content):
    with pytest.raises(InvalidRequest):
        read_catalogue_file(content)
