"""IP addresses: what they really stand for, and whether the whole internet may be meant by them.

The tables follow IANA's special-purpose registries (iana.org/assignments/iana-ipv4-special-registry and
iana-ipv6-special-registry, RFC 6890); the standard library's `is_global` differs from one patch release to the next.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# Where clouds tell a machine its own secrets; nothing else answers there.
METADATA: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local: AWS, Azure, Google, Oracle, DigitalOcean
            "fe80::/10",  # link-local
            "fd00:ec2::/32",  # AWS
            "fd20:ce::/32",  # Google
            "fd00:42::/32",  # Scaleway
            "100.100.100.200/32",  # Alibaba
            "168.63.129.16/32",  # Azure, in a public range
            "192.0.0.192/32",  # Oracle
        ),
    )
)
SPECIAL_4: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's translation
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
GLOBAL_UNICAST_6: Final = ip_network("2000::/3")
SPECIAL_6: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)
TRANSLATED: Final = ip_network("64:ff9b::/96")


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def meant_by(address: Address) -> Address:
    """The IPv4 address behind one that is mapped (RFC 4291) or translated by NAT64's well-known prefix (RFC 6052)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it is globally routable unicast, and no cloud's place for secrets. One with a zone never is."""
    plain = meant_by(address)
    if within(plain, METADATA):
        return False
    if isinstance(plain, IPv4Address):
        return not within(plain, SPECIAL_4)
    return plain.scope_id is None and plain in GLOBAL_UNICAST_6 and not within(plain, SPECIAL_6)


def parsed_address(text: str) -> Address | None:
    """Only the canonical way of writing an IPv4 address is taken for one: no octal, no hexadecimal, no short form."""
    try:
        return ip_address(text)
    except ValueError:
        return None
