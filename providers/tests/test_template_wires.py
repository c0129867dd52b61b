"""A template and the wire that it names meet: the vendor's documented address and header come out."""

import json

import pytest

from providers.models.provider import SECRET_PLACE
from providers.quirks import quirks_of
from providers.templates.built_in import built_in_templates
from providers.templates.filling import fill
from providers.wire.neutral import Message, Prompt, Text
from providers.wire.openai.speech import ChatSpeech
from providers.wire.registry import adapter, spoken
from providers.wire.shapes import Secret, Target

HELLO = Prompt(messages=(Message(role="user", parts=(Text(text="Hello?"),)),), max_output_tokens=9)
ADDRESSES = {
    "openai": "https://api.openai.com/v1/chat/completions",
    "azure-openai": "https://res.openai.azure.com/openai/v1/chat/completions",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
    "mistral": "https://api.mistral.ai/v1/chat/completions",
    "groq": "https://api.groq.com/openai/v1/chat/completions",
    "deepseek": "https://api.deepseek.com/chat/completions",
    "together": "https://api.together.xyz/v1/chat/completions",
    "fireworks": "https://api.fireworks.ai/inference/v1/chat/completions",
    "xai": "https://api.x.ai/v1/chat/completions",
    "meta": "https://api.meta.ai/v1/chat/completions",
    "openrouter": "https://openrouter.ai/api/v1/chat/completions",
    "ollama": "http://127.0.0.1:11434/api/chat",
    "vllm": "http://127.0.0.1:8000/v1/chat/completions",
    "lm-studio": "http://127.0.0.1:1234/v1/chat/completions",
    "llama-cpp": "http://127.0.0.1:8080/v1/chat/completions",
}


def target_of(name: str) -> Target:
    template = built_in_templates()[name]
    given = {"RESOURCE": "res"} if name == "azure-openai" else {}
    filled = fill(template, {"API_KEY": "sk-1", **given})
    return Target(
        provider=name,
        provider_scope="tenant",
        wire=template.wire,
        base_url=filled.values["base_url"],
        model="m",
        headers=shown(filled.values["credential_header"], template.wire),
        price=None,
        quirks=quirks_of(filled.values["quirks"]),
    )


def shown(header: str, wire: str) -> tuple[tuple[str, Secret], ...]:
    if not header:
        return adapter(wire).credential_headers("sk-1")
    name, _, text = header.partition(":")
    return ((name, Secret(text.strip().replace(SECRET_PLACE, "sk-1"))),)


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_vendor_is_called_where_it_says(name):
    target = target_of(name)
    assert adapter(target.wire).build_prompt(HELLO, target, stream=False).url == ADDRESSES[name]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("openai", ("authorization", "Bearer sk-1")),
        ("azure-openai", ("api-key", "sk-1")),
        ("anthropic", ("x-api-key", "sk-1")),
        ("gemini", ("x-goog-api-key", "sk-1")),
    ],
)
def test_a_vendor_is_shown_its_key_as_it_says(name, header):
    assert header in [(key, secret.reveal()) for key, secret in target_of(name).headers]


def sent(name: str, **fields):
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello?"}], **fields}
    request = ChatSpeech().parse_request(json.dumps(body).encode())
    target = target_of(name)
    return json.loads(spoken(request, target).build_request(request, target).body)


def test_mistral_is_not_sent_what_it_refuses():
    built = sent("mistral", stream=True, seed=7, max_completion_tokens=9)
    assert "stream_options" not in built
    assert (built["random_seed"], built["max_tokens"]) == (7, 9)
    assert not {"seed", "max_completion_tokens"} & built.keys()


def test_openai_gets_the_field_that_its_newer_models_want():
    built = sent("openai", max_tokens=9)
    assert built["max_completion_tokens"] == 9
    assert "max_tokens" not in built
