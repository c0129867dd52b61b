"""What models do besides completions, by the official SDKs over real HTTP; each call is in the ledger once."""

import json

import httpx2
import openai
import pytest

from orchestrator_site.tests.journeys.catalogue import RATES
from orchestrator_site.tests.journeys.peers import node

HELLO = [{"role": "user", "content": "Say hello."}]
pytestmark = pytest.mark.skipif(node() is None, reason="aimock is not installed: `make test` does that where Node is")


def post(product, key, path, body, **headers):
    return httpx2.post(
        f"{product.base_url}{path}", headers={"authorization": f"Bearer {key}", **headers}, json=body, timeout=30
    )


def settled(ledger, request_id, **expected):
    row = ledger.only(request_id)
    assert row["outcome"] == "completed"
    assert row["cost_nano"] == RATES.cost(
        input_tokens=row["input_tokens"], output_tokens=row["output_tokens"], cached_tokens=row["cache_read_tokens"]
    )
    for name, value in expected.items():
        assert row[name] == value, name


def test_embeddings(client, ledger):
    raw = client.embeddings.with_raw_response.create(model="aimock-tasks/text-embedding-3-small", input=["one", "two"])
    answer = raw.parse()
    assert [vector.index for vector in answer.data] == [0, 1]
    first, second = (vector.embedding for vector in answer.data)
    assert len(first) == len(second) > 10
    assert all(isinstance(number, float) for number in first)
    settled(ledger, raw.headers["x-request-id"])


def test_embeddings_that_a_wire_cannot_make_are_a_400_naming_the_model(client):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.embeddings.create(model="aimock-anthropic/claude-sonnet-4-5", input="x")
    assert (refusal.value.code, refusal.value.param) == ("unsupported_endpoint", "model")


def test_a_moderation(client, ledger):
    raw = client.moderations.with_raw_response.create(model="aimock-tasks/omni-moderation-latest", input="hello")
    assert raw.parse().results[0].flagged is False
    settled(ledger, raw.headers["x-request-id"])


def test_an_image(client, ledger):
    raw = client.images.with_raw_response.generate(model="aimock-tasks/gpt-image-1", prompt="a lighthouse")
    assert raw.parse().data[0].b64_json == "iVBORw0KGgo="
    settled(ledger, raw.headers["x-request-id"])


def test_speech_is_sound(client, ledger):
    answer = client.audio.speech.create(model="aimock-tasks/gpt-4o-mini-tts", input="hello", voice="alloy")
    assert answer.content.startswith(b"ID3")
    assert answer.response.headers["content-type"] == "audio/mpeg"
    settled(ledger, answer.response.headers["x-request-id"])


def test_a_transcription_goes_up_as_a_form(client, ledger):
    raw = client.audio.transcriptions.with_raw_response.create(
        model="aimock-tasks/whisper-1", file=("talk.wav", b"RIFF\r\n--not a boundary\x00\xff", "audio/wav")
    )
    assert raw.parse().text == "What was said."
    settled(ledger, raw.headers["x-request-id"], input_tokens=14, output_tokens=5, usage_source="provider")


def test_a_rerank(product, acme_key, ledger):
    asked = {"model": "aimock-cohere/rerank-v3.5", "query": "cats", "documents": ["dogs", "cats"], "top_n": 1}
    answer = post(product, acme_key, "/rerank", asked)
    assert answer.status_code == 200
    assert "results" in answer.json()
    settled(ledger, answer.headers["x-request-id"])


@pytest.mark.parametrize("model", ["aimock-anthropic/claude-sonnet-4-5", "aimock/gpt-4o"])
def test_tokens_are_counted_before_they_are_sent(product, acme_key, model):
    asked = {"model": model, "messages": [{"role": "user", "content": "Say hello, please."}]}
    answer = post(product, acme_key, "/messages/count_tokens", asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["input_tokens"] > 0


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/messages", {"model": "nobody/nothing", "max_tokens": 9, "messages": HELLO}, 404, "not_found_error"),
        ("/messages", {"model": "aimock/gpt-4o", "messages": HELLO}, 400, "invalid_request_error"),
        ("/messages/count_tokens", {"messages": []}, 400, "invalid_request_error"),
    ],
)
def test_errors_of_messages_have_anthropics_form(product, acme_key, path, body, status, kind):
    answer = post(product, acme_key, path, body)
    told = answer.json()
    assert (answer.status_code, told["type"], told["error"]["type"]) == (status, "error", kind)
    assert told["error"]["message"]


def test_a_stranger_is_told_so_in_the_words_of_the_path(product):
    for path, shape in (("/messages", "error"), ("/embeddings", None)):
        answer = post(product, "orc_no_such_key", path, {})
        assert answer.status_code == 401
        assert answer.json().get("type") == shape


def test_what_a_provider_cannot_express_is_named(client):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(
            model="aimock-anthropic/claude-sonnet-4-5", messages=[{"role": "user", "content": "x"}], seed=7
        )
    assert (refusal.value.code, refusal.value.param) == ("unsupported_parameter", "seed")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_forgiving_route_leaves_it_out_and_says_so(client, stream):
    hello = [{"role": "user", "content": "x"}]
    raw = client.chat.completions.with_raw_response.create(
        model="forgiving", messages=hello, seed=7, logit_bias={"1": 2}, stream=stream
    )
    assert sorted(raw.headers["x-orchestrator-dropped-params"].split(", ")) == ["logit_bias", "seed"]
    raw.parse()


def test_a_form_in_the_place_of_json_and_json_in_the_place_of_a_form_are_415(product, acme_key):
    assert post(product, acme_key, "/audio/transcriptions", {}).status_code == 415
    wrong = httpx2.post(
        f"{product.base_url}/embeddings",
        headers={"authorization": f"Bearer {acme_key}"},
        files={"file": ("a", b"b")},
        timeout=30,
    )
    assert wrong.status_code == 415
    assert "application/json" in json.loads(wrong.content)["error"]["message"]
