"""A completion as the gateway speaks of it: what was asked, and by whom."""

from dataclasses import dataclass
from uuid import UUID

from billing.limits.admission import Admitted
from common.errors import RateLimited
from gateway.configs import TenantConfig
from gateway.keys import Presented
from gateway.wishes import NONE as NO_WISHES
from gateway.wishes import Wishes
from providers.wire.shapes import ChatRequest
from tenants.identity import KeyRecord
from tenants.scopes import Scope


@dataclass(frozen=True, slots=True)
class Identified:
    """The holder of a key, as far as our snapshot of the tenant knows."""

    key: Presented
    scope: Scope
    config: TenantConfig
    record: KeyRecord


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let in by the configuration in force, and with what left of the limit."""

    config: TenantConfig
    record: KeyRecord
    admitted: Admitted


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a completion. `began` is on the loop's clock, in seconds; `wishes` came in its headers."""

    request_id: UUID
    identified: Identified
    request: ChatRequest
    began: float
    wishes: Wishes = NO_WISHES


class OverLimit(RateLimited):
    """Refused by the requests a minute of an API key; `admitted` has the figures."""

    def __init__(self, admitted: Admitted) -> None:
        super().__init__(
            f"Rate limit reached: {admitted.limit} requests a minute for this API key.",
            retry_after=admitted.retry_after_ms / 1000,
        )
        self.admitted = admitted
