import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.wire.completions.request import parse_completions_request
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.request import parse_chat_request
from providers.wire.openai.tasks import REQUIRED, parse_task_request
from providers.wire.shapes import ChatRequest, Quirks, Target, UpstreamRequest

TARGET = Target(
    provider="demo",
    provider_scope="platform",
    wire="openai",
    base_url="http://127.0.0.1:1/v1",
    model="vendor/model-1",
    headers=(),
    price=None,
)
HELLO: dict[str, Any] = {"model": "alias", "messages": [{"role": "user", "content": "Hi"}]}
TASKS: dict[str, dict[str, Any]] = {
    "embeddings": {"input": ["a", "b"], "dimensions": 8},
    "moderations": {"input": "a"},
    "images": {"prompt": "a cat", "n": 2},
    "speech": {"input": "Hi", "voice": "alloy"},
    "rerank": {"query": "q", "documents": ["a"], "top_n": 1},
}


def chat(**fields) -> ChatRequest:
    return parse_chat_request(json.dumps({**HELLO, **fields}).encode())


def task(dialect, **fields) -> ChatRequest:
    return parse_task_request(json.dumps({"model": "alias", **TASKS[dialect], **fields}).encode(), dialect)


def built(request: ChatRequest, *, drop: bool = False, **quirks) -> UpstreamRequest:
    target = msgspec.structs.replace(TARGET, quirks=Quirks(**quirks), drop_params=drop)
    return OpenAIWire().build_request(request, target)


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("embeddings", "/embeddings"),
        ("moderations", "/moderations"),
        ("images", "/images/generations"),
        ("speech", "/audio/speech"),
        ("rerank", "/rerank"),
    ],
)
def test_every_task_has_its_path_and_keeps_its_fields(dialect, path):
    request = built(task(dialect))
    assert request.url == f"http://127.0.0.1:1/v1{path}"
    assert json.loads(request.body) == {"model": "vendor/model-1", **TASKS[dialect]}


def test_completions_have_their_path_and_report_usage_in_streams():
    request = parse_completions_request(b'{"model":"alias","prompt":"Say","stream":true}')
    upstream = OpenAIWire().build_request(request, TARGET)
    assert upstream.url == "http://127.0.0.1:1/v1/completions"
    assert json.loads(upstream.body)["stream_options"] == {"include_usage": True}


def test_a_stream_of_images_is_not_asked_for_usage():
    assert "stream_options" not in json.loads(built(task("images", stream=True)).body)


def test_a_template_moves_paths_and_adds_to_the_query():
    quirks: dict[str, Any] = {
        "paths": {"chat": "/deployments/{model}/chat"},
        "query": {"api-version": "2024-10-21", "b": "a&b"},
    }
    request = built(chat(), **quirks)
    assert request.url == ("http://127.0.0.1:1/v1/deployments/vendor%2Fmodel-1/chat?api-version=2024-10-21&b=a%26b")
    assert built(task("rerank"), **quirks).url.startswith("http://127.0.0.1:1/v1/rerank?api-version=")


@pytest.mark.parametrize("dialect", ["embeddings", "chat"])
def test_a_server_without_the_endpoint_is_told_of_by_the_callers_name(dialect):
    request = chat() if dialect == "chat" else task(dialect)
    with pytest.raises(InvalidRequest) as refusal:
        built(request, paths={dialect: ""})
    assert (refusal.value.code, refusal.value.param) == ("unsupported_endpoint", "model")
    assert "'alias'" in refusal.value.message


def test_a_renamed_field_has_the_servers_name_alone():
    renamed = {"max_completion_tokens": "max_tokens"}
    assert json.loads(built(chat(max_completion_tokens=5), renamed=renamed).body)["max_tokens"] == 5
    both = json.loads(built(chat(max_completion_tokens=5, max_tokens=9), renamed=renamed).body)
    assert (both["max_tokens"], "max_completion_tokens" in both) == (5, False)
    unsaid = json.loads(built(chat(max_completion_tokens=None, max_tokens=9), renamed=renamed).body)
    assert unsaid["max_tokens"] == 9


def test_an_unsupported_field_is_refused_or_dropped_and_told():
    with pytest.raises(InvalidRequest) as refusal:
        built(chat(logit_bias={"1": 2}), unsupported=("logit_bias",))
    assert (refusal.value.param, refusal.value.code) == ("logit_bias", "unsupported_parameter")
    request = built(chat(logit_bias={"1": 2}, seed=1), drop=True, unsupported=("logit_bias", "user"))
    assert request.dropped == ("logit_bias",)
    assert json.loads(request.body).keys() == {"model", "messages", "seed"}


def test_an_unsupported_field_that_says_nothing_is_left_out():
    request = built(chat(logit_bias=None), unsupported=("logit_bias",))
    assert (request.dropped, "logit_bias" in json.loads(request.body)) == ((), False)


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_server_that_knows_no_stream_options_gets_none(include_usage):
    request = chat(stream=True, stream_options={"include_usage": include_usage})
    assert "stream_options" not in json.loads(built(request, stream_usage=False).body)


def test_quirks_that_change_nothing_build_the_same_bytes():
    request = chat(stream=True, seed=1, x={"a": 1})
    assert built(request) == OpenAIWire().build_request(request, TARGET)


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect, names in REQUIRED.items() for name in names]
)
def test_a_task_without_what_it_is_about_is_refused(dialect, name):
    for missing in ({name: None}, {}):
        fields = {**TASKS[dialect], **missing}
        if not missing:
            del fields[name]
        with pytest.raises(InvalidRequest) as refusal:
            parse_task_request(json.dumps({"model": "m", **fields}).encode(), dialect)
        assert (refusal.value.param, refusal.value.code) == (name, "missing_required_parameter")


def test_only_a_moderation_may_leave_the_model_out():
    assert parse_task_request(b'{"input":"a"}', "moderations").model == "omni-moderation-latest"
    with pytest.raises(InvalidRequest) as refusal:
        parse_task_request(b'{"input":"a"}', "embeddings")
    assert refusal.value.param == "model"


@pytest.mark.parametrize(
    ("dialect", "fields", "stream"),
    [
        ("images", {"stream": True}, True),
        ("speech", {"stream_format": "sse"}, True),
        ("speech", {"stream_format": "audio"}, False),
        ("embeddings", {}, False),
    ],
)
def test_tasks_stream_where_they_are_asked_to(dialect, fields, stream):
    assert task(dialect, **fields).stream is stream
