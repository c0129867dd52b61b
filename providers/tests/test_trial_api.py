"""POST /v1/providers/{name}/test against a vendor on a real socket."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from providers.tests.callers import caller_of

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-never-to-be-seen-1234567890"
CHOICE = {"index": 0, "finish_reason": "stop"}
ANSWER = {"id": "a", "model": "m", "choices": [CHOICE | {"message": {"role": "assistant", "content": "OK"}}]}
EVENTS = [
    {"id": "a", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "OK"}, "finish_reason": None}]},
    {"id": "a", "choices": [CHOICE | {"delta": {}}]},
]
STREAM = "".join(f"data: {json.dumps(event)}\n\n" for event in EVENTS) + "data: [DONE]\n\n"
LIST = {"object": "list", "data": [{"id": "m"}, {"id": "n"}]}


class Vendor:
    """Answers by path and by whether a stream is asked for; `asked` holds (path, authorization, body)."""

    def __init__(self, **answers):
        self.answers = {"list": (200, LIST), "whole": (200, ANSWER), "stream": (200, STREAM)} | answers
        self.asked = []
        self.url = ""

    def choose(self, path, body):
        if path.endswith("/models"):
            return self.answers["list"]
        return self.answers["stream" if body.get("stream") else "whole"]


@contextmanager
def vendor(**answers):
    made = Vendor(**answers)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer({})

        def do_POST(self):
            self.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def answer(self, body):
            made.asked.append((self.path, self.headers.get("authorization"), body))
            status, content = made.choose(self.path, body)
            kind = "text/event-stream" if isinstance(content, str) else "application/json"
            sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def try_out(alice, url, body=None, **values):
    alice("post", "providers", {"name": "v", "base_url": url, "secret": SECRET, "models": ["m", "n"], **values})
    return alice("post", "providers/v/test", {} if body is None else body)


def test_a_provider_that_works(alice):
    with vendor() as made:
        status, trial = try_out(alice, made.url)
    assert status == 200
    assert (trial["object"], trial["provider"], trial["model"], trial["ok"]) == ("provider.test", "v", "m", True)
    assert trial["listing"] | {"latency_ms": 0} == {
        "ok": True, "latency_ms": 0, "error": None, "message": None, "models": 2,
    }  # fmt: skip
    assert trial["completion"] | {"latency_ms": 0} == {"ok": True, "latency_ms": 0, "error": None, "message": None}
    assert 0 < trial["stream"]["time_to_first_chunk_ms"] <= trial["stream"]["latency_ms"]
    assert {key for _, key, _ in made.asked} == {f"Bearer {SECRET}"}
    assert {body.get("max_completion_tokens") for _, _, body in made.asked} == {None, 16}


@pytest.mark.parametrize(("values", "body", "model"), [({}, {"model": "n"}, "n"), ({"default_model": "n"}, {}, "n")])
def test_the_model_that_is_asked(alice, values, body, model):
    with vendor() as made:
        _, trial = try_out(alice, made.url, body, **values)
    assert trial["model"] == model
    assert {body["model"] for _, _, body in made.asked if body} == {model}


def test_one_that_is_switched_off_can_be_tried_and_one_without_models_is_listed_alone(alice):
    with vendor() as made:
        assert try_out(alice, made.url, enabled=False)[1]["ok"] is True
        alice("patch", "providers/v", {"models": []})
        _, trial = alice("post", "providers/v/test", {})
    assert (trial["ok"], trial["model"], trial["completion"], trial["stream"]) == (False, None, None, None)
    assert trial["listing"]["ok"] is True


@pytest.mark.parametrize(
    ("answers", "failed"),
    [
        ({"list": (500, {})}, {"listing": "upstream_refused"}),
        ({"list": (200, "nonsense")}, {"listing": "upstream_garbled"}),
        ({"whole": (200, {"nothing": 1})}, {"completion": "upstream_garbled"}),
        ({"stream": (200, STREAM[:60])}, {"stream": "upstream_garbled"}),
        ({"stream": (302, {})}, {"stream": ""}),
        ({"whole": (401, {"error": {"message": f"wrong key {SECRET}"}})}, {"completion": ""}),
        ({"whole": (400, {"error": {"message": f"no such thing {SECRET}"}})}, {"completion": ""}),
    ],
)
def test_what_went_wrong_is_told_without_a_secret(alice, answers, failed):
    with vendor(**answers) as made:
        status, trial = try_out(alice, made.url)
    assert (status, trial["ok"]) == (200, False)
    for name in ("listing", "completion", "stream"):
        assert trial[name]["ok"] is (name not in failed)
        if name in failed:
            assert trial[name]["message"]
            assert trial[name]["error"] == (failed[name] or trial[name]["error"])
    assert SECRET not in str(trial)


def test_nobody_there(alice):
    with vendor() as made:
        pass
    _, trial = try_out(alice, made.url)
    assert {trial[name]["error"] for name in ("listing", "completion", "stream")} == {"upstream_unreachable"}


def test_a_name_that_leads_inside_is_not_connected_to(alice, monkeypatch):
    real = socket.getaddrinfo

    def inside(host, port, *args, **options):
        address = "10.0.0.7" if host == "api.example.com" else host
        return real(address, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    _, trial = try_out(alice, "https://api.example.com/v1")
    assert "not one that the platform may connect to" in trial["completion"]["message"]
    assert {trial[name]["error"] for name in ("listing", "completion", "stream")} == {"upstream_unreachable"}


def test_who_may(alice, charlie):
    with vendor() as made:
        try_out(alice, made.url)
        made.asked.clear()
        assert charlie.refused("post", "providers/v/test", {})[0] == 404
        reader = caller_of(alice.tenant, "providers:read")
        assert reader.refused("post", "providers/v/test", {}) == (403, None, "insufficient_scope")
        assert alice.refused("post", "providers/v/test", {"model": "x"})[:2] == (400, "model")
        assert alice.refused("post", "providers/v/test", {"nonsense": 1})[:2] == (400, "nonsense")
        assert made.asked == []
