"""The official SDK, unmodified, speaks to providers of every wire: what they sent is on record, and translated."""

import json
from pathlib import Path

import httpx2
import openai
import pytest

from providers.tests.responses_speech import SPEECH, anonymous
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.gemini.adapter import GeminiWire
from providers.wire.ollama.adapter import OllamaWire
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.ports import Wire
from providers.wire.translated import Translated

FOLDER = Path(__file__).with_name("recorded")
WIRES: tuple[Wire, ...] = (OpenAIWire(), AnthropicWire(), GeminiWire(), OllamaWire())
BY_NAME = {wire.name: wire for wire in WIRES}


def streamed_path(wire, name):
    return FOLDER / wire / f"{name}.{'ndjson' if wire == 'ollama' else 'sse'}"


def recorded():
    for wire in WIRES:
        for path in sorted((FOLDER / wire.name).glob("*.json")):
            if streamed_path(wire.name, path.stem).exists():
                yield wire.name, path.stem


def provider(wire, name):
    """Answers the SDK over its own transport with what the provider sent, translated."""

    def answer(request):
        asked = SPEECH.parse_request(request.content)
        translated = Translated(SPEECH, BY_NAME[wire], asked)
        if not asked.stream:
            body = (FOLDER / wire / f"{name}.json").read_bytes()
            return httpx2.Response(200, json=json.loads(translated.parse_response(body).raw))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=retold(translated, asked))

    def retold(translated, asked):
        parser = translated.parse_stream(asked)
        sent = streamed_path(wire, name).read_bytes()
        chunks = [each for place in range(0, len(sent), 7) for each in parser.feed(sent[place : place + 7])]
        chunks += parser.close()
        assert [each.error for each in chunks if each.error] == []
        return b"".join(each.raw for each in chunks)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(api_key="k", base_url="http://x", http_client=httpx2.Client(transport=transport))


@pytest.mark.parametrize(("wire", "name"), list(recorded()))
def test_every_recorded_answer_is_the_same_to_the_sdk_streamed_and_whole(wire, name):
    client = provider(wire, name)
    whole = client.responses.create(model="m", input="Hi")
    with client.responses.stream(model="m", input="Hi") as stream:
        told = list(stream)
    assert told[0].type == "response.created"
    assert told[-1].type == f"response.{whole.status}"
    assert told[-1].response.output_text == whole.output_text
    assert untold(told[-1].response) == untold(whole)


def untold(response):
    """Without ids, times, the ids of calls that the provider gave none, and what the SDK's own stream reads in
    addition."""
    told = anonymous(json.loads(response.model_dump_json(exclude_none=True)))
    for item in told["output"]:
        item.pop("parsed_arguments", None)
        item.pop("call_id", None)
        for part in item.get("content", []):
            part.pop("parsed", None)
    return told
