"""What happens that a tenant can be told of. A type keeps the form of its `data` for good."""

from typing import Final

from common.errors import InvalidRequest

TEST: Final = "webhook.test"
DISABLED: Final = "webhook.disabled"

EVENT_TYPES: Final[dict[str, str]] = {
    "provider.created": "A provider of your own was made: `id`, `name`.",
    "provider.updated": "Its fields, its credentials or its models changed: `id`, `name`.",
    "provider.removed": "It was removed: `id`, `name`.",
    "route.created": "A route of your own was made: `id`, `name`.",
    "route.updated": "Its fields or its targets changed: `id`, `name`.",
    "route.removed": "It was removed: `id`, `name`.",
    DISABLED: "Another webhook was switched off by the platform: `id`, `url`, `reason` (`gone`, `failing`).",
    TEST: "Sent by `POST /v1/webhooks/{id}/test`, to that webhook alone: `id`.",
}
GROUPS: Final = tuple(sorted({f"{name.partition('.')[0]}.*" for name in EVENT_TYPES}))


def checked_types(wanted: list[str]) -> list[str]:
    """Raises InvalidRequest naming the place of the first that is neither a type nor a group."""
    for i, each in enumerate(wanted):
        if each not in EVENT_TYPES and each not in GROUPS:
            known = ", ".join((*GROUPS, *EVENT_TYPES))
            raise InvalidRequest(
                f"There is no such type of event; there are {known}.",
                param=f"event_types[{i}]",
            )
    return list(dict.fromkeys(wanted))


def wants(chosen: list[str], event_type: str) -> bool:
    """Whether an endpoint with these `event_types` is told of an event; none chosen is all."""
    return not chosen or event_type in chosen or f"{event_type.partition('.')[0]}.*" in chosen
