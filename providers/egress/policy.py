"""Who may connect where. Pure: names and addresses in, a verdict out.

tenant      globally routable addresses, and what the operator allows
platform    the operator's own providers: anywhere but a cloud's metadata service, unless that is allowed too
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Final, Literal

from providers.egress.addresses import (
    LOOPBACK,
    METADATA,
    Address,
    Network,
    is_public,
    meant_by,
    parsed_address,
    within,
)

Scope = Literal["platform", "tenant"]

NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*", re.IGNORECASE)
# A name that ends so is an address to some resolvers (url.spec.whatwg.org, "ends in a number").
NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


class AddressRefused(Exception):
    """The message says why, in words for whoever configured the URL."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the operator allows beyond the public internet. `hosts` are names, or `.domain` for all names below it."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def check_address(self, host: str, address: Address, scope: Scope) -> None:
        """Raises AddressRefused."""
        if within(address, self.networks) or within(meant_by(address), self.networks):
            return
        if within(meant_by(address), METADATA):
            raise AddressRefused("It leads to a metadata service of the network that the platform runs in.")
        if scope == "tenant" and not is_public(address) and not self.allows_name(host):
            raise AddressRefused("It leads to an address that is not on the public internet.")

    def check_host(self, host: str, scope: Scope) -> None:
        """What can be told of a host without resolving it. Raises AddressRefused."""
        address = literal(host)
        if address is not None:
            self.check_address(host, address, scope)
        elif is_localhost(host):
            for each in LOOPBACK:
                self.check_address(host, each.network_address, scope)

    def allows_name(self, host: str) -> bool:
        name = bare(host)
        return name in self.hosts or any(f".{parent}" in self.hosts for parent in parents(name))


def bare(host: str) -> str:
    return host.lower().removesuffix(".")


def parents(name: str) -> Iterable[str]:
    labels = name.split(".")
    return (".".join(labels[i:]) for i in range(1, len(labels)))


def is_localhost(host: str) -> bool:
    """RFC 6761 section 6.3."""
    return f".{bare(host)}".endswith(".localhost")


def literal(host: str) -> Address | None:
    """The address that `host` (ASCII, without brackets) is; None for a name. Raises AddressRefused for neither."""
    address = parsed_address(host)
    if address is not None:
        return address
    name = bare(host)
    if NUMBER.fullmatch(name.rpartition(".")[2]) or ":" in name:
        raise AddressRefused("An address is written as four decimal numbers, or as IPv6 in brackets.")
    if not NAME.fullmatch(name):
        raise AddressRefused("It has no host that a name service could know.")
    return None


@lru_cache(maxsize=16)
def parsed_policy(entries: tuple[str, ...]) -> EgressPolicy:
    """From networks (10.0.0.0/8), addresses, names and *.domains. Raises ValueError naming the entry."""
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in entries:
        network = parsed_network(entry)
        if network is not None:
            networks.append(network)
        else:
            hosts.add(parsed_name(entry))
    return EgressPolicy(tuple(networks), frozenset(hosts))


def parsed_network(entry: str) -> Network | None:
    try:
        return ip_network(entry)
    except ValueError:
        return None


def parsed_name(entry: str) -> str:
    pattern, name = entry.startswith("*."), bare(entry.removeprefix("*."))
    if not NAME.fullmatch(name) or NUMBER.fullmatch(name.rpartition(".")[2]):
        raise ValueError(f"{entry!r} is no network such as 10.0.0.0/8, no address, no host name and no *.domain")
    return f".{name}" if pattern else name
