"""EGRESS_ALLOW, and what is allowed without it."""

from ipaddress import ip_address

import pytest

from orchestrator_site.settings.environment import ConfigurationError, Environment
from orchestrator_site.tests.test_configuration_docs import REQUIRED
from providers.egress.policy import AddressRefused, EgressPolicy


def test_an_entry_that_is_none_stops_the_start():
    with pytest.raises(ConfigurationError, match=r"EGRESS_ALLOW: '10\.0\.0\.1/8' is no network"):
        Environment.read({**REQUIRED, "EGRESS_ALLOW": "10.0.0.0/8, 10.0.0.1/8"})


def test_production_allows_nothing_by_itself():
    assert Environment.read(REQUIRED).egress() == EgressPolicy()


def test_a_local_installation_allows_its_own_machine_and_what_it_is_told():
    local = Environment.read({**REQUIRED, "ORCHESTRATOR_ENV": "local", "EGRESS_ALLOW": "10.1.0.0/16,vllm.internal"})
    policy = local.egress()
    for host, address in (("x", "127.0.0.1"), ("x", "::1"), ("x", "10.1.2.3"), ("vllm.internal", "192.168.0.1")):
        policy.check_address(host, ip_address(address), "tenant")
    for host, address in (("x", "10.2.0.1"), ("x", "192.168.0.1"), ("vllm.internal", "169.254.169.254")):
        with pytest.raises(AddressRefused):
            policy.check_address(host, ip_address(address), "tenant")
