"""Host names: which tenant's, or the public host's."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from common.errors import InvalidRequest, PermissionDenied
from tenants.identity import TenantRef

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_HOSTS: Final = 4096
# RFC 1035 section 2.3.4, as text and without the final dot.
LONGEST_HOST: Final = 253
SECONDS_KEPT: Final = 5.0
LABEL_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def normalised(header: str) -> str:
    """A Host header as rows and comparisons have it: lower case, without port, brackets or a final dot."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def checked(host: str) -> str:
    """A host name fit for a Domain row. Raises InvalidRequest."""
    name = normalised(host)
    labels = name.split(".")
    fits = len(name) <= LONGEST_HOST and all(
        0 < len(label) <= 63 and LABEL_CHARACTERS.issuperset(label) and label.strip("-") == label for label in labels
    )
    if not fits or is_address(name):
        raise InvalidRequest(f"{host!r} is not a host name.", param="host")
    return name


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(host: str, base_domain: str) -> bool:
    """Whether a normalised host is the platform's own rather than a tenant's."""
    return host == base_domain or host in LOCAL_HOSTS


def check_host_of_key(key_tenant: TenantRef, host_tenant: TenantRef | None) -> None:
    """Raises PermissionDenied when a key is used on the host of a tenant that is not its own."""
    if host_tenant is not None and host_tenant.id != key_tenant.id:
        raise PermissionDenied("This API key belongs to another host.", code="wrong_host")


class HostCache:
    """Answers of the directory, kept for seconds: a bounded memory of hosts that exist and of hosts that do not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, TenantRef | None]] = OrderedDict()
        self._lock = Lock()

    def now(self) -> float:
        return self._clock()

    def recall(self, host: str) -> tuple[bool, TenantRef | None]:
        """(whether there is an answer, the answer). What is too long for a name is nobody's, without a question."""
        if len(host) > LONGEST_HOST:
            return True, None
        expires_at, tenant = self._known.get(host, (0.0, None))
        return (True, tenant) if expires_at > self.now() else (False, None)

    def keep(self, host: str, tenant: TenantRef | None) -> None:
        with self._lock:
            self._known[host] = (self.now() + SECONDS_KEPT, tenant)
            self._known.move_to_end(host)
            if len(self._known) > MOST_HOSTS:
                self._known.popitem(last=False)
