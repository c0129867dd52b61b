"""Embeddings asked for in OpenAI's words of providers with an API of their own."""

import base64
import json
import struct

import pytest

from common.errors import InvalidRequest, UpstreamGarbled
from providers.wire.openai.tasks import parse_task_request
from providers.wire.registry import spoken
from providers.wire.shapes import Target, Usage


def target(wire):
    return Target(
        provider="p",
        provider_scope="tenant",
        wire=wire,
        base_url="http://host",
        model="embedder",
        headers=(),
        price=None,
    )


def request(**fields):
    return parse_task_request(json.dumps({"model": "p/embedder", **fields}).encode(), "embeddings")


ANSWERS = {
    "ollama": b'{"embeddings": [[0.25, -0.5], [1.0, 2.0]], "prompt_eval_count": 7}',
    "gemini": (
        b'{"embeddings": [{"values": [0.25, -0.5]}, {"values": [1.0, 2.0]}], "usageMetadata": {"promptTokenCount": 7}}'
    ),
}


@pytest.mark.parametrize("wire", ANSWERS)
def test_vectors_come_back_in_openais_shape_in_the_order_of_the_inputs(wire):
    asked = request(input=["one", "two"], dimensions=2)
    adapter = spoken(asked, target(wire))
    sent = json.loads(adapter.build_request(asked, target(wire)).body)
    assert "one" in json.dumps(sent)
    assert "two" in json.dumps(sent)
    chunk = adapter.parse_response(ANSWERS[wire], "embeddings")
    answer = json.loads(chunk.raw)
    assert [each["embedding"] for each in answer["data"]] == [[0.25, -0.5], [1.0, 2.0]]
    assert [each["index"] for each in answer["data"]] == [0, 1]
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert answer["model"] == "p/embedder"
    assert chunk.usage == Usage(input_tokens=7)
    assert chunk.done
    assert chunk.finished


def test_the_sdks_packed_form_holds_the_same_numbers():
    asked = request(input=["one", "two"], encoding_format="base64")
    answer = json.loads(spoken(asked, target("ollama")).parse_response(ANSWERS["ollama"], "embeddings").raw)
    assert struct.unpack("<2f", base64.b64decode(answer["data"][0]["embedding"])) == (0.25, -0.5)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"input": [1, 2, 3]}, "input"),
        ({"input": []}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"input": "x", "dimensions": 0}, "dimensions"),
        ({"input": "x", "dimensions": "many"}, "dimensions"),
        ({"input": "x", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "x", "seed": 1}, "seed"),
    ],
)
def test_what_cannot_be_asked_for_is_named(fields, named):
    with pytest.raises(InvalidRequest) as refusal:
        spoken(request(**fields), target("ollama"))
    assert refusal.value.param == named


def test_an_answer_with_too_few_vectors_is_no_answer():
    asked = request(input=["one", "two", "three"])
    with pytest.raises(UpstreamGarbled):
        spoken(asked, target("ollama")).parse_response(ANSWERS["ollama"], "embeddings")


def test_a_number_that_its_32_bits_cannot_hold_is_the_providers_fault():
    asked = request(input="one", encoding_format="base64")
    with pytest.raises(UpstreamGarbled, match="32 bits"):
        spoken(asked, target("ollama")).parse_response(b'{"embeddings": [[1e300]]}', "embeddings")
