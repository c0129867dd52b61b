import msgspec
import pytest

from common.errors import InvalidRequest, UpstreamGarbled, UpstreamRefused
from providers.tests.wire_prompts import target_of
from providers.wire.gemini import embeddings as gemini
from providers.wire.ollama import embeddings as ollama
from providers.wire.shapes import Quirks, Usage

BASE = "https://host/v1beta"


def test_gemini_is_asked_for_all_vectors_at_once():
    request = gemini.build_embeddings(("a", "é"), 256, target_of("models/gemini-embedding-001", BASE))
    assert request.url == f"{BASE}/models/gemini-embedding-001:batchEmbedContents"
    assert not request.stream
    common = {"model": "models/gemini-embedding-001", "outputDimensionality": 256}
    assert msgspec.json.decode(request.body) == {
        "requests": [
            {**common, "content": {"parts": [{"text": "a"}]}},
            {**common, "content": {"parts": [{"text": "é"}]}},
        ]
    }


def test_gemini_is_asked_as_in_a_recorded_exchange():
    """Recorded for github.com/pydantic/pydantic-ai, tests/cassettes/test_embeddings/TestGoogle.test_documents.yaml."""
    request = gemini.build_embeddings(("hello", "world"), None, target_of("gemini-embedding-001", BASE))
    assert request.url.endswith("/v1beta/models/gemini-embedding-001:batchEmbedContents")
    # As they asked, but for a role and a purpose, which may be left out.
    assert msgspec.json.decode(request.body)["requests"] == [
        {"content": {"parts": [{"text": text}]}, "model": "models/gemini-embedding-001"} for text in ("hello", "world")
    ]


# The answer to it, of 3,072 numbers each: the first of the first and the last of the last.
GEMINI_RECORDED = b"""{
  "embeddings": [
    {
      "values": [
        -0.039315943,
        0.01232142,
        0.0014646905,
        -9.5002775e-05
      ]
    },
    {
      "values": [
        -0.0027934455,
        0.004703172,
        0.002843167
      ]
    }
  ]
}
"""


def test_gemini_s_recorded_vectors_are_read():
    vectors = [[-0.039315943, 0.01232142, 0.0014646905, -9.5002775e-05], [-0.0027934455, 0.004703172, 0.002843167]]
    assert gemini.read_embeddings(GEMINI_RECORDED, 2) == (vectors, Usage())


def test_gemini_s_count_is_read_where_there_is_one():
    """`usageMetadata` of ai.google.dev/api/embeddings, which newer models report."""
    body = b'{"embeddings":[{"values":[0.5,-1]},{"values":[0.25,0]}],"usageMetadata":{"promptTokenCount":4}}'
    assert gemini.read_embeddings(body, 2) == ([[0.5, -1.0], [0.25, 0.0]], Usage(input_tokens=4))


def test_ollama_is_asked_for_vectors_of_the_whole_texts():
    texts = ("Why is the sky blue?", "Why is the grass green?")
    request = ollama.build_embeddings(texts, None, target_of("all-minilm", "http://localhost:11434/"))
    assert request.url == "http://localhost:11434/api/embed"
    assert msgspec.json.decode(request.body) == {"model": "all-minilm", "input": list(texts), "truncate": False}
    sized = ollama.build_embeddings(("a",), 64, target_of("m", "http://h"))
    assert msgspec.json.decode(sized.body)["dimensions"] == 64


# Both answers of github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings, as they stand there.
SKY = [
    0.010071029, -0.0017594862, 0.05007221, 0.04692972, 0.054916814,
    0.008599704, 0.105441414, -0.025878139, 0.12958129, 0.031952348,
]  # fmt: skip
GRASS = [
    -0.0098027075, 0.06042469, 0.025257962, -0.006364387, 0.07272725,
    0.017194884, 0.09032035, -0.051705178, 0.09951512, 0.09072481,
]  # fmt: skip
OLLAMA_ONE = b"""{
  "model": "all-minilm",
  "embeddings": [[
    0.010071029, -0.0017594862, 0.05007221, 0.04692972, 0.054916814,
    0.008599704, 0.105441414, -0.025878139, 0.12958129, 0.031952348
  ]],
  "total_duration": 14143917,
  "load_duration": 1019500,
  "prompt_eval_count": 8
}"""
OLLAMA_TWO = b"""{
  "model": "all-minilm",
  "embeddings": [[
    0.010071029, -0.0017594862, 0.05007221, 0.04692972, 0.054916814,
    0.008599704, 0.105441414, -0.025878139, 0.12958129, 0.031952348
  ],[
    -0.0098027075, 0.06042469, 0.025257962, -0.006364387, 0.07272725,
    0.017194884, 0.09032035, -0.051705178, 0.09951512, 0.09072481
  ]]
}"""


def test_ollama_s_documented_vectors_are_read():
    assert ollama.read_embeddings(OLLAMA_ONE, 1) == ([SKY], Usage(input_tokens=8))
    assert ollama.read_embeddings(OLLAMA_TWO, 2) == ([SKY, GRASS], Usage())
    with pytest.raises(UpstreamGarbled):
        ollama.read_embeddings(OLLAMA_TWO, 1)


@pytest.mark.parametrize("wire", [gemini, ollama])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"embeddings":[]}', b'{"embeddings":["a"]}', b"[" * 100_000]
)
def test_what_holds_no_vectors_is_garbled(wire, body):
    with pytest.raises(UpstreamGarbled):
        wire.read_embeddings(body, 1)


@pytest.mark.parametrize(
    ("wire", "body"),
    [(gemini, b'{"error":{"code":503,"message":"down"}}'), (ollama, b'{"error":"model runner has stopped"}')],
)
def test_an_error_instead_of_vectors_is_raised(wire, body):
    with pytest.raises(UpstreamRefused):
        wire.read_embeddings(body, 1)


@pytest.mark.parametrize("wire", [gemini, ollama])
def test_a_server_may_have_embeddings_elsewhere_or_nowhere(wire):
    moved = Quirks(paths={"embeddings": "/embed/{model}"})
    assert wire.build_embeddings(("a",), None, target_of("m", BASE, quirks=moved)).url == f"{BASE}/embed/m"
    with pytest.raises(InvalidRequest):
        wire.build_embeddings(("a",), None, target_of("m", BASE, quirks=Quirks(paths={"embeddings": ""})))
