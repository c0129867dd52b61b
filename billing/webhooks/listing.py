"""Which deliveries of a webhook are asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from billing.webhooks.event_types import EVENT_TYPES
from billing.webhooks.models import WebhookDelivery
from providers.api.listing import parameters

FILTERS: Final = {"status": WebhookDelivery.STATUSES, "event_type": tuple(EVENT_TYPES)}
CONDITIONS: Final = {"after": "id__lt", "status": "status", "event_type": "event__type"}


@dataclass(frozen=True, slots=True)
class Listing:
    limit: int
    conditions: dict[str, Any]


def parse_listing(query: Mapping[str, str]) -> Listing:
    """Raises InvalidRequest naming the parameter."""
    asked = parameters(query, {"after": identifier} | {name: one_of(each) for name, each in FILTERS.items()})
    limit = asked.pop("limit")
    return Listing(limit, {CONDITIONS[name]: value for name, value in asked.items() if value != ""})


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in known:
            raise ValueError(f"Use one of {', '.join(known)}.")
        return value

    return read


def identifier(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ValueError("Use the id of an entry.") from None
