"""Hosts and URLs that must not lead inside, as they are tried against servers that fetch what they are told to."""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

# Every special block (IANA), its first, a middle and its last address.
PRIVATE_4: Final = [
    "0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.20.30.40", "10.255.255.255",
    "100.64.0.0", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.0.0.53",
    "127.1.2.3", "127.255.255.255", "169.254.0.0", "169.254.0.1", "169.254.169.254", "169.254.170.2",
    "169.254.169.253", "169.254.255.255", "172.16.0.0", "172.16.0.1", "172.17.0.1", "172.20.10.2", "172.31.255.255",
    "192.0.0.0", "192.0.0.8", "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.1", "192.0.2.255", "192.88.99.0",
    "192.88.99.1", "192.88.99.255", "192.168.0.0", "192.168.0.1", "192.168.1.1", "192.168.99.100", "192.168.255.255",
    "198.18.0.0", "198.18.0.1", "198.19.255.255", "198.51.100.0", "198.51.100.1", "198.51.100.255", "203.0.113.0",
    "203.0.113.1", "203.0.113.255", "224.0.0.0", "224.0.0.1", "224.0.0.251", "239.255.255.250", "239.255.255.255",
    "240.0.0.0", "240.0.0.1", "250.1.2.3", "255.255.255.254", "255.255.255.255", "168.63.129.16",
]  # fmt: skip
PUBLIC_4: Final = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.88.98.255",
    "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
    "203.0.112.255", "203.0.114.0", "223.255.255.255", "168.63.129.15", "168.63.129.17",
]  # fmt: skip
PRIVATE_6: Final = [
    "::", "::1", "::2", "::ffff", "::7f00:1", "::a9fe:a9fe", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8", "64:ff9b:1::", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::1", "100::", "100::1", "100:0:0:1::1",
    "2001::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1", "2001:3::1",
    "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::", "2001:db8::1",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1",
    "2002:a9fe:a9fe::1", "2002:808:808::1", "3fff::1", "3fff:fff:ffff::1", "4000::1", "5f00::1", "5f00:ffff::1",
    "fc00::", "fc00::1", "fd00::1", "fd00:ec2::254", "fd20:ce::254", "fd12:3456:789a:1::1",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "fe80::1", "fe80::a9fe:a9fe", "febf:ffff::1", "fec0::1",
    "ff00::1", "ff01::1", "ff02::1", "ff02::fb", "ff05::1:3", "ff0e::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::1%eth0", "fe80::1%1", "::1%lo", "2606:4700::1%eth0", "fd00::1%25",
    "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0001", "0::1", "FE80::1", "FD00:EC2::254",
]  # fmt: skip
PUBLIC_6: Final = [
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:81b::200e", "2620:fe::fe", "2001:200::1",
    "2400:cb00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "3ffe:ffff::1",
]  # fmt: skip
INSIDE: Final = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "172.17.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"]


def mapped(address: str) -> list[str]:
    """An IPv4 address within IPv6, in each of its spellings."""
    number = int(IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    return [
        f"::ffff:{address}",
        f"::ffff:{high:x}:{low:x}",
        f"0:0:0:0:0:ffff:{high:04x}:{low:04x}",
        f"::FFFF:{high:X}:{low:X}",
        f"64:ff9b::{address}",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{high:x}:{low:x}",
        f"2002:{high:x}:{low:x}::",
        f"::{address}",
        f"2001:0:{high:x}:{low:x}::",
        str(IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),
    ]


def misspelled(address: str) -> list[str]:
    """An IPv4 address as inet_aton reads it and nobody else should."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = int(IPv4Address(address))
    return [
        str(number),
        f"0x{number:x}",
        f"0X{number:08X}",
        f"0{number:o}",
        f"{number + 2**32}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:03d}.{b:03d}.{c:03d}.{d:03d}" if a < 100 else f"0{a}.{b}.{c}.{d}",
        f"0x{a:x}.{b}.0{c:o}.{d}",
        f"{a}.{b}.{c}.{d}.",
        f"{a}.{b}.{c}.{d}..",
        f"{a}.{b}.{c}.0x{d:x}",
        f"0x{a:x}.{number & 0xFFFFFF}",
    ]


def in_unicode(address: str) -> list[str]:
    """Digits and dots that IDNA turns into plain ones."""
    digits: dict[str, dict[str, str | int | None]] = {
        "fullwidth": {str(i): chr(0xFF10 + i) for i in range(10)},
        "bold": {str(i): chr(0x1D7CE + i) for i in range(10)},
        "circled": {"0": "⓪", **{str(i): chr(0x2460 + i - 1) for i in range(1, 10)}},
        "superscript": dict(zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)),
        "subscript": dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True)),
    }
    spelled = [address.translate(str.maketrans(table)) for table in digits.values()]
    dotted = [address.replace(".", dot) for dot in ("。", "．", "｡")]
    return spelled + dotted


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


NAMES: Final = [
    "localhost", "LOCALHOST", "LocalHost", "localhost.", "foo.localhost", "a.b.localhost", "foo.localhost.",
    "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost\u3002", "loc\u00adalhost",
]  # fmt: skip
# An authority that says one thing to the eye and another to a parser.
TRICKS: Final = [
    "http://example.com@127.0.0.1/", "http://example.com:80@127.0.0.1/", "http://user:pw@127.0.0.1:8080/v1",
    "http://example.com%40127.0.0.1/", "http://127.0.0.1#@example.com/", "http://127.0.0.1?@example.com/",
    "http://127.0.0.1/@example.com", "http://example.com#@127.0.0.1@127.0.0.1/", "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/", "http:\\\\127.0.0.1/", "http:/127.0.0.1/", "http:127.0.0.1", "//127.0.0.1/",
    "http://127.0.0.1:80\\@example.com/", "http://[::1]@example.com:80@[::1]/", "http://[::1", "http://::1/",
    "http://[127.0.0.1]/", "http://[::1]x/", "http://[::ffff:127.0.0.1%25eth0]/", "http://[v1.fe80]/",
    "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:80:80/", "http://127.0.0.1:８０/",
    "http://127.0.0.1:0x50/", "http://127.0.0.1%00.example.com/", "http://127.0.0.1%2f.example.com/",
    "http://127.0.0.1%09/", "http://127.0.0.1 .example.com/", "http://127.0.0.1\t/", "http://127.0.0.1\r\n/",
    "http://127.0.0.1\x00.example.com/", "http://\u202e127.0.0.1/", "http://\u200b127.0.0.1/", " http://127.0.0.1/",
    "http:// 127.0.0.1/", "http://example..com/", "http://.example.com/", "http://./", "http:///", "http://",
    "http://*/", "http://$/", "http://%6c%6f%63%61%6c%68%6f%73%74/", "http://%31%32%37.0.0.1/", "http://0/",
    "http://0x/", "http://00/", "http://example.0x7f/", "http://1.2.3/", "http://1.2.3.4.5/", "http://256.256.256.256/",
    "http://999.1.1.1/", "http://1.1.1.1.1e3.5/", "http://127.0.0.1.0/", "http://-1/", "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/", "file:///etc/passwd", "file://127.0.0.1/etc/passwd", "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/", "ftp://127.0.0.1/", "ldap://127.0.0.1/", "tftp://127.0.0.1/", "jar:http://127.0.0.1!/",
    "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "data:text/plain,x", "javascript:1",
    "ws://127.0.0.1/", "netdoc:///etc/passwd", "HTTP://127.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:6379/",
    "https://127.0.0.1/", "https://[::1]:8443/v1",
]  # fmt: skip


def urls_inside() -> list[str]:
    hosts = [*PRIVATE_4, *map(bracketed, PRIVATE_6), *NAMES]
    for address in INSIDE:
        hosts += [*map(bracketed, mapped(address)), *misspelled(address), *in_unicode(address)]
    return [f"http://{host}/v1" for host in dict.fromkeys(hosts)]
