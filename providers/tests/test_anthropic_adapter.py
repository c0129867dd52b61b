import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.tests.test_anthropic_request import WIRE, asked, body, target
from providers.wire.anthropic.build import USUAL_MAX_TOKENS
from providers.wire.neutral import Tool
from providers.wire.shapes import ChatRequest, Quirks, Secret


def native(fields: dict[str, Any], **more: Any) -> ChatRequest:
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return ChatRequest(
        model="public", stream=False, include_usage=False, max_output_tokens=None, choices=1, fields=raw,
        input_bytes=0, dialect="messages", **more,
    )  # fmt: skip


def test_a_credential_is_shown_as_anthropic_wants_it():
    shown = [(name, value.reveal()) for name, value in WIRE.credential_headers("k")]
    assert shown == [("x-api-key", "k"), ("anthropic-version", "2023-06-01")]


def test_a_native_request_is_the_callers_but_for_the_models_name():
    fields = {"model": "public", "max_tokens": 5, "messages": [{"role": "user", "content": "é"}], "new_field": [1]}
    request = WIRE.build_request(native(fields), target())
    assert json.loads(request.body) == {**fields, "model": "claude-opus-4-6"}
    assert (request.url, request.dropped) == ("https://api.anthropic.com/v1/messages", ())
    assert request.headers is not None


def test_a_caller_may_choose_version_and_betas_and_no_other_header():
    headers = (("Anthropic-Version", "2024-01-01"), ("anthropic-beta", "a,b"), ("x-api-key", "mine"))
    request = WIRE.build_request(native({}, headers=headers), target())
    assert {name: value.reveal() for name, value in request.headers} == {
        "x-api-key": "sk-ant-key",
        "anthropic-version": "2024-01-01",
        "anthropic-beta": "a,b",
    }


@pytest.mark.parametrize(
    ("paths", "url"),
    [
        ({"messages": "/anthropic/messages"}, "https://api.anthropic.com/v1/anthropic/messages"),
        ({"chat": "/models/{model}/messages"}, "https://api.anthropic.com/v1/models/claude-opus-4-6/messages"),
        ({"messages": "/a", "chat": "/b"}, "https://api.anthropic.com/v1/a"),
    ],
)
def test_a_server_may_have_paths_of_its_own(paths, url):
    there = target(quirks=Quirks(paths=paths))
    assert WIRE.build_request(native({}), there).url == url
    assert WIRE.build_prompt(asked(), there, stream=True).url == url
    assert WIRE.build_count(asked(), there).url == f"{url}/count_tokens"


def test_a_server_may_know_fewer_fields():
    quirks = Quirks(unsupported=("top_k",), renamed={"max_tokens": "limit"})
    with pytest.raises(InvalidRequest, match="'top_k'"):
        body(asked(top_k=4), quirks=quirks)
    request = WIRE.build_prompt(asked(top_k=4), target(quirks=quirks, drop_params=True), stream=False)
    sent = json.loads(request.body)
    assert "top_k" not in sent
    assert (sent["limit"], request.dropped) == (USUAL_MAX_TOKENS, ("top_k",))
    with pytest.raises(InvalidRequest, match="'top_k'"):
        WIRE.build_request(native({"top_k": 4}), target(quirks=quirks))


def test_a_count_asks_with_what_is_counted_and_no_more():
    prompt = asked(max_output_tokens=9, temperature=0.5, tools=(Tool(name="a"),), user="u")
    request = WIRE.build_count(prompt, target())
    assert request.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert set(json.loads(request.body)) == {"model", "messages", "tools"}
    fields = {"model": "public", "messages": []}
    assert json.loads(WIRE.build_count(native(fields), target()).body) == {"model": "claude-opus-4-6", "messages": []}


def test_no_header_is_sent_that_shows_itself():
    request = WIRE.build_prompt(asked(), target(), stream=False)
    assert all(isinstance(value, Secret) for _, value in request.headers)
    assert "sk-ant-key" not in repr(request)
