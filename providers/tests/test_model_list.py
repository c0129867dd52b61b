"""What servers say of their models, and what those say that lie."""

import random
from itertools import pairwise

import msgspec
import pytest

from common.errors import UpstreamGarbled
from providers.wire.model_list import MOST_MODELS, ListedModel, model_list_url, read_model_list
from providers.wire.shapes import Quirks


def read(answer):
    return read_model_list(msgspec.json.encode(answer))


def names(answer):
    return [model.name for model in read(answer).models]


def test_each_vendor_is_read_in_its_own_words():
    assert read({"object": "list", "data": [{"id": "gpt-4o", "object": "model", "owned_by": "system"}]}).models == (
        ListedModel("gpt-4o"),
    )
    assert read({"data": [{"type": "model", "id": "claude-haiku-4-5", "display_name": "Claude Haiku 4.5"}]}).models == (
        ListedModel("claude-haiku-4-5", "Claude Haiku 4.5"),
    )
    assert read(
        {"models": [{"name": "models/gemini-3-pro", "displayName": "Gemini 3 Pro", "inputTokenLimit": 1048576}]}
    ).models == (ListedModel("gemini-3-pro", "Gemini 3 Pro", 1048576),)
    assert read({"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "size": 5}]}).models == (ListedModel("qwen3:8b"),)
    assert read([{"id": "meta/llama", "context_length": 8192}]).models == (ListedModel("meta/llama", "", 8192),)
    assert read(
        {
            "data": [
                {
                    "id": "a/b",
                    "name": "A: B",
                    "context_length": 9,
                    "architecture": {"input_modalities": ["text", "image"]},
                    "supported_parameters": ["tools", "top_p"],
                }
            ]
        }
    ).models == (ListedModel("a/b", "A: B", 9, ("tools", "vision")),)
    assert read({"data": [{"id": "m", "capabilities": {"vision": False, "function_calling": True}}]}).models == (
        ListedModel("m", "", None, ("tools",)),
    )


def test_names_are_taken_once_and_sorted():
    assert names({"data": [{"id": "b"}, {"id": "a"}, {"id": "b", "display_name": "later"}]}) == ["a", "b"]


@pytest.mark.parametrize(
    "entry",
    [{"id": "two words"}, {"id": "line\nbreak"}, {"id": "nul\0"}, {"id": "ü"}, {"id": ""}, {"id": "x" * 201},
     {"id": 7}, {"id": None}, {"id": ["a"]}, {}, 7, None, True, [], ["a"]],
)  # fmt: skip
def test_what_names_no_model_is_ignored_and_counted(entry):
    found = read({"data": [entry, {"id": "good"}]})
    assert ([model.name for model in found.models], found.ignored) == (["good"], 1)


@pytest.mark.parametrize("window", [0, -1, 2**31, 10**30, 1.5, "8192", True, None, [], {}])
def test_a_window_that_is_none_is_left_out(window):
    assert read({"data": [{"id": "m", "context_length": window}]}).models == (ListedModel("m"),)


def test_a_title_is_one_line_that_can_be_printed_and_bounded():
    (model,) = read({"data": [{"id": "m", "display_name": "A\x00B\n\u202e  C" + "x" * 5_000}]}).models
    assert model.display_name.startswith("AB Cx")
    assert model.display_name.isprintable()
    assert len(model.display_name) <= 200


def test_a_huge_list_is_cut_and_an_endless_one_refused():
    many = {"data": [{"id": f"m{number}"} for number in range(MOST_MODELS + 10)]}
    assert (len(read(many).models), read(many).cut) == (MOST_MODELS, True)
    with pytest.raises(UpstreamGarbled):
        read_model_list(b'{"data":[' + b",".join([b"{}"] * 100_002) + b"]}")


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"7", b'"x"', b"{}", b'{"data":7}', b'{"data":{"id":"m"}}', b"<html>", b"\xff\xfe", b"[" * 100_000,
     b'{"a":' * 5_000, b'{"data":[' + b"9" * 10_000 + b"]", b"[1e99999]x"],
)  # fmt: skip
def test_what_is_no_list_is_garbled(body):
    with pytest.raises(UpstreamGarbled):
        read_model_list(body)


def test_any_bytes_are_a_list_or_garbled():
    chance = random.Random(8)
    whole = msgspec.json.encode({"data": [{"id": "m", "display_name": "é", "capabilities": {"vision": True}}] * 3})
    for _ in range(2_000):
        cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(4))
        pieces = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
        chance.shuffle(pieces)
        try:
            assert all(model.name for model in read_model_list(b"".join(pieces)).models)
        except UpstreamGarbled:
            continue


def test_every_wire_has_its_path_and_a_server_may_have_another():
    plain = Quirks()
    assert model_list_url("openai", "https://v.example/v1/", plain) == "https://v.example/v1/models"
    assert model_list_url("anthropic", "https://v.example/v1", plain) == "https://v.example/v1/models?limit=1000"
    assert model_list_url("ollama", "http://v.example", plain) == "http://v.example/api/tags"
    odd = Quirks(paths={"models": "/list"}, query={"api-version": "3"})
    assert model_list_url("gemini", "https://v.example", odd) == "https://v.example/list?pageSize=1000&api-version=3"
    assert model_list_url("openai", "https://v.example", Quirks(paths={"models": ""})) == ""
