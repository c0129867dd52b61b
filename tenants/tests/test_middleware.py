"""Which host is whose."""

import json
import time
from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator  # type: ignore[import-untyped]
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidRequest, PermissionDenied
from tenants import hosts
from tenants.actions.tenants import add_domain
from tenants.hosts import MOST_HOSTS, SECONDS_KEPT, HostCache

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tenants.tests.urls")]


@pytest.fixture(autouse=True)
def site(settings):
    settings.PUBLIC_SCHEMA_URLCONF = settings.ROOT_URLCONF = "tenants.tests.urls"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    text: str

    def json(self):
        return json.loads(self.text)


async def get_over_asgi(path, host):
    asgi = HttpCommunicator(ASGIHandler(), "GET", path, headers=[(b"host", host.encode())])
    answer = await asgi.get_response(timeout=10)
    content_type = dict(answer["headers"])[b"Content-Type"].decode()
    return Answer(answer["status"], content_type, answer["body"].decode())


async def get_over_wsgi(path, host):
    answer = await sync_to_async(Client(headers={"host": host}).get)(path)
    return Answer(answer.status_code, answer["Content-Type"], answer.content.decode())


@pytest.fixture(params=[get_over_asgi, get_over_wsgi])
def get(request):
    return request.param


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "localhost."])
async def test_public_hosts_have_no_tenant(get, host):
    answer = await get("/page", host)
    assert (answer.status, answer.json()) == (200, {"tenant": None})


async def test_a_tenants_host_is_the_tenants(cast, get):
    for host in (cast.acme.host, cast.acme.host.upper() + ":8000"):
        answer = await get("/page", host)
        assert answer.json() == {"tenant": cast.acme.tenant.slug}


@pytest.mark.parametrize("host", ["nobody.localhost", "192.0.2.1", "example.com"])
async def test_a_host_of_nobody_has_no_pages(get, host):
    answer = await get("/page", host)
    assert answer.status == 404
    assert answer.content_type.startswith("text/plain")
    assert host not in answer.text


@pytest.mark.parametrize("host", ["nobody.localhost", "192.0.2.1"])
async def test_the_api_answers_on_any_host(get, host):
    assert (await get("/v1/me", host)).status in (401, 403)


async def test_a_malformed_host_is_400(get):
    assert (await get("/page", "bad host/")).status == 400


@pytest.mark.parametrize("prefix", ["/v1", "/docsx", "/live"])
async def test_similar_paths_are_not_served_on_any_host(get, prefix):
    assert (await get(prefix, "nobody.localhost")).status == 404


def test_a_new_host_works_within_seconds(make_tenant, monkeypatch):
    made = make_tenant()
    host = f"new.{made.host}"
    client = Client(headers={"host": host})
    assert client.get("/page").status_code == 404
    add_domain(tenant=made.tenant, host=host)
    later = time.monotonic() + SECONDS_KEPT
    monkeypatch.setattr(HostCache, "now", lambda self: later)
    assert client.get("/page").json() == {"tenant": made.tenant.slug}


def test_answers_are_kept_for_seconds_and_bounded(cast):
    now = [0.0]
    cache = HostCache(lambda: now[0])
    cache.keep("a", cast.acme.tenant)
    cache.keep("b", None)
    assert cache.recall("a") == (True, cast.acme.tenant)
    assert cache.recall("b") == (True, None)
    assert cache.recall("c") == (False, None)
    now[0] = SECONDS_KEPT
    assert cache.recall("a") == (False, None)
    for number in range(MOST_HOSTS + 1):
        cache.keep(str(number), None)
    assert cache.recall("0") == (False, None)
    assert cache.recall("1") == (True, None)


def test_a_host_too_long_for_a_name_is_nobodys_without_a_question():
    cache = HostCache()
    assert cache.recall("a" * 253) == (False, None)
    assert cache.recall("a" * 254) == (True, None)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,20}[a-z])?){1,3}", fullmatch=True))
def test_a_host_name_is_its_own_normal_form(host):
    assert hosts.normalised(host) == hosts.checked(host) == host
    assert hosts.normalised(f" {host.upper()}.:443") == host


@pytest.mark.parametrize(
    "host", ["", ".", "a_b", "-a.example", "a-.example", "a" * 64, "1.2.3.4", "[::1]", "ä.example", "a b"]
)
def test_what_is_no_host_name_is_refused(host):
    with pytest.raises(InvalidRequest) as refusal:
        hosts.checked(host)
    assert refusal.value.param == "host"


def test_a_key_stays_on_its_host(cast):
    acme, globex = cast.acme.tenant, cast.globex.tenant
    hosts.check_host_of_key(acme, None)
    hosts.check_host_of_key(acme, acme)
    with pytest.raises(PermissionDenied):
        hosts.check_host_of_key(acme, globex)
