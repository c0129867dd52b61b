"""Whether a caller may ask for a model or a route, by the lists that bind the key (`tenants.allow_rules`).

A route is known by its name and by the name that was asked for; one that is allowed lets through all that it leads to.
A pattern's caller could ask for any name that fits: that counts only where the name itself says whom it leads to.
A model is known as "provider/model" and by its bare name, unless that looks like another provider's model itself.
"""

from typing import Final

from common.errors import PermissionDenied
from providers.catalogue import DEFAULT, ModelCard, Resolution, RouteEntry, UnknownModel, beside_the_rules
from providers.routed import ANYTHING
from tenants.identity import KeyRecord

LONGEST_SHOWN: Final = 1_000


def permitted(record: KeyRecord, names: tuple[str, ...]) -> bool:
    """`names` are names of one thing, of which each list must match one."""
    allowed = record.allowed
    return not allowed.lists or allowed.allows(*names)


def check_permitted(record: KeyRecord, asked: str, resolution: Resolution, param: str = "model") -> None:
    """`asked`: the name as the caller wrote it, in the field `param`. Raises PermissionDenied (`model_not_allowed`)."""
    if record.allowed.lists and not permitted(record, names_of(asked, resolution)):
        raise not_allowed(record, asked, param)


def names_of(asked: str, resolution: Resolution) -> tuple[str, ...]:
    route = resolution.route
    if route is not None:
        return (asked, route.name) if asked == DEFAULT or asks_by_name(route) else (route.name,)
    return (*names_of_model(resolution.name), *([asked] if asked == DEFAULT else []))


def asks_by_name(route: RouteEntry) -> bool:
    """Whether the caller's name is the route's own, or the name of every model that the route leads to."""
    if ANYTHING not in route.name:
        return True
    beside = [target for target, _, _ in beside_the_rules(route.policy)]
    return all(target.endswith(f"/{ANYTHING}") for target in [*(rule.target for rule in route.rules), *beside])


def names_of_model(full: str) -> tuple[str, ...]:
    bare = full.partition("/")[2]
    return (full,) if "/" in bare else (full, bare)


def permitted_cards(record: KeyRecord, cards: tuple[ModelCard, ...]) -> tuple[ModelCard, ...]:
    """The cards of what may be asked for."""
    if not record.allowed.lists:
        return cards
    return tuple(card for card in cards if permitted(record, names_on(card)))


def names_on(card: ModelCard) -> tuple[str, ...]:
    return (card.id,) if card.owned_by == "route" else names_of_model(card.id)


def unknown_to(record: KeyRecord, error: UnknownModel, param: str = "model") -> UnknownModel:
    """The error for the field `param`, naming nothing that the caller may not ask for."""
    return UnknownModel(error.reason, permitted_cards(record, error.cards), param)


def not_allowed(record: KeyRecord, asked: str, param: str) -> PermissionDenied:
    allowed = str(record.allowed)
    shown = allowed if len(allowed) <= LONGEST_SHOWN else f"{allowed[:LONGEST_SHOWN]}…"
    return PermissionDenied(
        f"This API key may not use '{asked[:200]}'. Allowed: {shown}.", code="model_not_allowed", param=param
    )
