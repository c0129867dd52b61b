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


def test_gemini_s_vectors_are_read():
    body = b'{"embeddings":[{"values":[0.5,-1]},{"values":[0.25,0]}],"usageMetadata":{"promptTokenCount":4}}'
    assert gemini.read_embeddings(body, 2) == ([[0.5, -1.0], [0.25, 0.0]], Usage(input_tokens=4))
    assert gemini.read_embeddings(b'{"embeddings":[{"values":[1]}]}', 1) == ([[1.0]], Usage())


def test_ollama_is_asked_for_vectors_of_the_whole_texts():
    request = ollama.build_embeddings(("a", "b"), None, target_of("all-minilm", "http://localhost:11434/"))
    assert request.url == "http://localhost:11434/api/embed"
    assert request.body == b'{"model":"all-minilm","input":["a","b"],"truncate":false}'
    sized = ollama.build_embeddings(("a",), 64, target_of("m", "http://h"))
    assert msgspec.json.decode(sized.body)["dimensions"] == 64


def test_ollama_s_vectors_are_read():
    body = b'{"model":"all-minilm","embeddings":[[0.5,-1]],"total_duration":1,"prompt_eval_count":8}'
    assert ollama.read_embeddings(body, 1) == ([[0.5, -1.0]], Usage(input_tokens=8))


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
