"""What is refused, with which status and words, and that nothing of it is dispatched."""

import json
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2
import pytest

from orchestrator_site.tests.journeys.product import MAX_BODY_BYTES

PATH = "/v1/chat/completions"
GOOD = {"model": "mock/mock", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def http(product, acme_key):
    origin = product.base_url.removesuffix("/v1")
    with httpx2.Client(base_url=origin, headers={"authorization": f"Bearer {acme_key}"}, timeout=20) as http:
        yield http


def refused(answer, status):
    """The error object of a refusal that has the platform's form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-request-id"]
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def test_the_good_request_is_answered(http):
    answer = http.post(PATH, json=GOOD)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]


def test_a_key_in_the_other_header(product, acme_key):
    answer = httpx2.post(f"{product.base_url}/chat/completions", json=GOOD, headers={"x-api-key": acme_key}, timeout=20)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic abc"}, {"x-api-key": ""}]
)
def test_no_key(product, headers):
    error = refused(httpx2.post(f"{product.base_url}/chat/completions", json=GOOD, headers=headers, timeout=20), 401)
    assert error["type"] == "authentication_error"


BROKEN = {
    "not json": b'{"model": "mock/mock", "messages": [}',
    "nothing": b"",
    "cut short": b'{"model": "mock/mock", "messages": [{"role": "user"',
    "an array": b"[]",
    "not utf-8": b'{"model": "mock/mock", "messages": [{"role": "user", "content": "\xff"}]}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_is_no_request(http, name):
    answer = http.post(PATH, content=BROKEN[name], headers={"content-type": "application/json"})
    assert refused(answer, 400)["type"] == "invalid_request_error"


def test_broken_json_is_named_with_its_place(http):
    error = refused(http.post(PATH, content=BROKEN["not json"], headers={"content-type": "application/json"}), 400)
    place = BROKEN["not json"].index(b"}")
    assert str(place) in error["message"] or "line 1" in error["message"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"model": ""}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"n": 0}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stream": True, "stream_options": 3}, "stream_options"),
    ],
)
def test_a_field_that_cannot_be(http, change, param):
    body = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    assert (refused(http.post(PATH, json=body), 400)["param"] or "").startswith(param)


def test_too_large(http, ledger):
    body = {**GOOD, "messages": [{"role": "user", "content": "x" * (MAX_BODY_BYTES + 1)}]}
    answer = http.post(PATH, json=body)
    assert refused(answer, 413)["code"] == "payload_too_large"
    assert not ledger.mentions(answer.headers["x-request-id"])


def test_too_large_without_saying_so(product, acme_key):
    """A chunked body tells no length: it is stopped where it passes the limit."""
    address = urlsplit(product.base_url)
    connection = HTTPConnection(address.hostname, address.port, timeout=20)
    headers = {"authorization": f"Bearer {acme_key}", "content-type": "application/json"}
    pieces = (b"x" * 100_000 for _ in range(MAX_BODY_BYTES // 100_000 + 2))
    connection.request("POST", PATH, body=pieces, headers=headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_the_wrong_kind_of_body(http, kind):
    refused(http.post(PATH, content=json.dumps(GOOD), headers={"content-type": kind}), 415)


def test_a_charset_is_no_other_kind(http):
    kind = "application/json; charset=utf-8"
    assert http.post(PATH, content=json.dumps(GOOD), headers={"content-type": kind}).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("PUT", PATH), ("DELETE", PATH), ("POST", "/v1/models")])
def test_the_wrong_method(http, method, path):
    answer = http.request(method, path, json=GOOD)
    refused(answer, 405)
    assert answer.headers["allow"]


def test_an_unknown_path_under_v1_answers_in_json(http):
    refused(http.get("/v1/no/such/thing"), 404)


def test_a_key_without_the_scope(product):
    key = product.keys["reads models"]
    with httpx2.Client(base_url=product.base_url, headers={"authorization": f"Bearer {key}"}, timeout=20) as http:
        assert http.get("/models").status_code == 200
        assert refused(http.post("/chat/completions", json=GOOD), 403)["type"] == "permission_error"
    key = product.keys["writes completions"]
    with httpx2.Client(base_url=product.base_url, headers={"authorization": f"Bearer {key}"}, timeout=20) as http:
        assert http.post("/chat/completions", json=GOOD).status_code == 200
        refused(http.get("/models"), 403)
        refused(http.get("/usage"), 403)


def test_a_revoked_key_stops_at_once_in_every_process(product):
    key = product.keys["to revoke"]
    urls = [product.url_of(port) for port in product.ports]
    assert len(urls) >= 2
    headers = {"authorization": f"Bearer {key}"}
    for url in urls:
        assert httpx2.post(f"{url}/chat/completions", json=GOOD, headers=headers, timeout=20).status_code == 200
    product.manage("revoke_api_key", "acme", key)
    for url in urls:
        answer = httpx2.post(f"{url}/chat/completions", json=GOOD, headers=headers, timeout=20)
        assert refused(answer, 401)["code"] == "invalid_api_key"
        assert httpx2.get(f"{url}/usage", headers=headers, timeout=20).status_code == 401


def test_a_key_that_expires_while_it_is_in_use(product, ledger):
    key = product.keys["to expire"]
    ledger.expire(key, seconds=1.5)

    def ask():
        headers = {"authorization": f"Bearer {key}"}
        return httpx2.post(f"{product.base_url}/chat/completions", json=GOOD, headers=headers, timeout=20)

    assert ask().status_code == 200
    time.sleep(1.6)
    assert refused(ask(), 401)["code"] == "expired_api_key"


def test_the_states_of_a_tenant(product):
    headers = {"authorization": f"Bearer {product.keys['initech']}"}
    urls = [product.url_of(port) for port in product.ports]

    def ask(url):
        return httpx2.post(f"{url}/chat/completions", json=GOOD, headers=headers, timeout=20)

    assert [ask(url).status_code for url in urls] == [200] * len(urls)
    product.manage("set_tenant_state", "initech", "read_only")
    for url in urls:
        assert "read" in refused(ask(url), 403)["message"]
        assert httpx2.get(f"{url}/models", headers=headers, timeout=20).status_code == 200
        assert httpx2.get(f"{url}/usage", headers=headers, timeout=20).status_code == 200
    product.manage("set_tenant_state", "initech", "suspended")
    for url in urls:
        refused(ask(url), 403)
        refused(httpx2.get(f"{url}/models", headers=headers, timeout=20), 403)
        refused(httpx2.get(f"{url}/usage", headers=headers, timeout=20), 403)
    product.manage("set_tenant_state", "initech", "active")
    assert [ask(url).status_code for url in urls] == [200] * len(urls)
