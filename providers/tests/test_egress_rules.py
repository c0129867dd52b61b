"""Where a URL may lead, told without asking anybody."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from common.errors import InvalidRequest
from providers.client.address import parsed
from providers.egress import configured
from providers.egress.addresses import is_public
from providers.egress.policy import AddressRefused, EgressPolicy, parsed_policy
from providers.egress.resolver import Resolver
from providers.tests.egress_payloads import PRIVATE_4, PRIVATE_6, PUBLIC_4, PUBLIC_6, TRICKS, urls_inside
from tenants.identity import TenantRef

NOTHING_ALLOWED = EgressPolicy()
URLS = urls_inside()


async def credulous(host):
    """A name service that takes every spelling of an address for one, and knows every other name."""
    try:
        return (socket.inet_ntoa(socket.inet_aton(host.rstrip("."))),)
    except OSError:
        return ("127.0.0.1",) if "localhost" in host.lower() else ("8.8.8.8",)


def places(url, policy=NOTHING_ALLOWED, scope="tenant"):
    """Through the very steps of a connection: parsed, resolved, judged."""
    address, _, _ = parsed(url)
    return asyncio.run(Resolver(policy, credulous).places(address.host, scope))


def test_the_table_is_long_and_repeats_nothing():
    assert len(URLS) >= 300
    assert len({*URLS, *TRICKS}) == len(URLS) + len(TRICKS)


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_leads_inside_is_refused(url):
    with pytest.raises((AddressRefused, ValueError)):
        places(url)


@pytest.mark.parametrize("url", TRICKS)
def test_a_url_that_looks_like_another_is_refused_or_leads_to_the_public_internet(url):
    try:
        found = places(url)
    except (AddressRefused, ValueError):
        return
    assert "127.0.0.1" not in parsed(url)[0].host
    assert found == ("8.8.8.8",)


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6])
def test_an_address_that_is_not_of_the_public_internet(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [*PUBLIC_4, *PUBLIC_6])
def test_an_address_of_the_public_internet(address):
    assert is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert places(f"https://{host}:8443/v1") == (str(ip_address(address)),)


def allowed(*entries):
    return parsed_policy(entries)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("10.0.0.0/8", "http://10.1.2.3/v1"),
        ("10.1.2.3", "http://10.1.2.3:8000/v1"),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]/v1"),
        ("fd00:1::/64", "http://[fd00:1::5]/v1"),
        ("169.254.169.254", "http://169.254.169.254/v1"),
        ("0.0.0.0/0", "http://192.168.0.1/v1"),
    ],
)
def test_the_operator_allows_networks(entry, url):
    assert places(url, allowed(entry))
    with pytest.raises(AddressRefused):
        places(url, allowed("172.31.0.0/16"))


@pytest.mark.parametrize(
    ("host", "entry", "open_"),
    [
        ("vllm.internal", "vllm.internal", True),
        ("VLLM.internal.", "vllm.internal", True),
        ("vllm.internal", "*.internal", True),
        ("a.b.internal", "*.internal", True),
        ("internal", "*.internal", False),
        ("notinternal", "*.internal", False),
        ("vllm.internal.evil.example", "vllm.internal", False),
        ("evil-vllm.internal", "vllm.internal", False),
    ],
)
async def test_the_operator_allows_names(host, entry, open_):
    async def inside(_):
        return ("10.0.0.9",)

    resolver = Resolver(allowed(entry), inside)
    if open_:
        assert await resolver.places(host, "tenant") == ("10.0.0.9",)
    else:
        with pytest.raises(AddressRefused):
            await resolver.places(host, "tenant")


async def test_a_name_that_is_allowed_still_does_not_lead_to_a_metadata_service():
    async def metadata(_):
        return ("169.254.169.254",)

    with pytest.raises(AddressRefused):
        await Resolver(allowed("vllm.internal"), metadata).places("vllm.internal", "tenant")
    named = Resolver(allowed("vllm.internal", "169.254.169.254"), metadata)
    assert await named.places("vllm.internal", "tenant") == ("169.254.169.254",)


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000/v1", "http://127.0.0.1/v1", "http://[fd12::1]/v1"])
def test_the_platforms_own_providers_may_be_inside(url):
    assert places(url, scope="platform")


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]", "100.100.100.200",
             "168.63.129.16", "[64:ff9b::169.254.169.254]", "2852039166", "0xa9fea9fe"],
)  # fmt: skip
def test_not_even_they_lead_to_a_metadata_service(host):
    with pytest.raises(AddressRefused):
        places(f"http://{host}/latest/meta-data", scope="platform")


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/33", "10.0.0.1/8", "http://vllm", "vllm:8000", "*", "*.*.a", "0x7f.1", "a b"]
)
def test_an_entry_that_is_none_is_named(entry):
    with pytest.raises(ValueError, match="is no network"):
        parsed_policy((entry,))


TENANT = TenantRef(id=None, slug="t", schema_name="t")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/v1", "http://2130706433/v1", "http://[::ffff:a00:1]/v1", "http://０x7f.1/v1", "http://a..b/v1",
     "http://[fe80::1%25eth0]/v1", "http://169.254.169.254/latest"],
)  # fmt: skip
def test_a_row_with_such_a_url_is_refused_naming_the_field(url):
    with pytest.raises(InvalidRequest) as caught:
        configured.check_url(url, TENANT, param="base_url")
    assert caught.value.param == "base_url"


def test_a_row_with_another_url_is_not_and_needs_no_name_service():
    for url in (
        "https://api.example.com/v1",
        "http://localhost:11434/v1",
        "http://vllm:8000/v1",
        "https://münchen.example/v1",
    ):
        configured.check_url(url, TENANT, param="base_url")
    configured.check_url("http://10.0.0.1/v1", None, param="base_url")
    with pytest.raises(InvalidRequest):
        configured.check_url("http://169.254.169.254/v1", None, param="base_url")
