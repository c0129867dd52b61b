"""Routes: a public name, or a pattern of such, and the targets behind it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from common.errors import InvalidRequest, NotFound
from providers.actions.rows import assign, find, save_valid
from providers.catalogue import DEFAULT
from providers.models import Route, RouteTarget
from providers.route_documents import policy_document, read_policy, read_rules
from providers.route_policy import TargetRule
from providers.scope import Owner, in_owner_scope, raise_owner_version
from providers.signals import announce, route_created, route_removed, route_updated

# The end of a path of the API below a route's own.
EXPLAIN: Final = "/explain"
MOST_LEARNED: Final = 1_000
LONGEST_LESSON: Final = 100


@in_owner_scope
def create_route(
    *,
    owner: Owner,
    name: str,
    targets: Sequence[object],
    enabled: bool = True,
    drop_params: bool = False,
    strategy: str = "priority",
    policy: object = None,
) -> UUID:
    """The route's id. `targets` are "provider/model", or objects as in `route_policy.TargetRule`, the first preferred;
    they need not be offered yet. `policy` is an object as in `route_policy.RoutePolicy`.

    With `drop_params` what a target cannot express is left out of a request, not refused.

    Raises InvalidRequest and Conflict.
    """
    row = Route(
        name=name,
        enabled=enabled,
        drop_params=drop_params,
        strategy=strategy,
        policy=policy_document(read_policy({} if policy is None else policy)),
    )
    save(row, read_rules(targets))
    raise_owner_version(owner)
    announce(route_created, owner, row)
    return row.id


@in_owner_scope
def change_route(
    *,
    owner: Owner,
    route_id: UUID,
    targets: Sequence[object] | None = None,
    policy: object = None,
    **changes: Any,
) -> None:
    """`changes`: name, enabled, drop_params, strategy. What is None stays as it is; targets and policy are replaced
    whole. Saying what is so already raises no version.

    Raises NotFound, InvalidRequest, Conflict.
    """
    row = find(Route, route_id)
    values = {name: value for name, value in changes.items() if value is not None}
    if policy is not None:
        values["policy"] = policy_document(read_policy(policy))
    current = tuple(each.as_rule() for each in row.targets.all())
    rules = current if targets is None else read_rules(targets)
    fields = (*assign(row, values), *(("targets",) if current != rules else ()))
    if not fields:
        return
    save(row, rules)
    raise_owner_version(owner)
    announce(route_updated, owner, row, fields=fields)


@in_owner_scope
def delete_route(*, owner: Owner, route_id: UUID) -> None:
    """Raises NotFound."""
    row = find(Route, route_id)
    announce(route_removed, owner, row)
    row.delete()
    raise_owner_version(owner)


@in_owner_scope
def learn_route(*, owner: Owner, route_id: UUID, learned: Mapping[str, float]) -> None:
    """Keeps what feedback taught, in place of what was kept. Each call that changes something makes every process load
    the owner's configuration again: teach in lots, not with every piece of feedback.

    Raises NotFound, and InvalidRequest for what are no numbers.
    """
    row = find(Route, route_id)
    check_learned(learned)
    if assign(row, {"learned": dict(learned)}):
        row.save(update_fields=["learned"])
        raise_owner_version(owner)


def route_named(name: str) -> Route:
    """In the scope that is open. Raises NotFound."""
    row = Route.objects.filter(name=name).prefetch_related("targets").first()
    if row is None:
        raise NotFound(f"There is no route '{name[:100]}' of your own.")
    return row


def save(row: Route, rules: Sequence[TargetRule]) -> None:
    if row.name == DEFAULT:
        raise InvalidRequest(f"'{DEFAULT}' always means the tenant's default model; choose another name.", param="name")
    if row.name.endswith(EXPLAIN):
        raise InvalidRequest(f"'{EXPLAIN}' ends a path of the API; choose another name.", param="name")
    if row.strategy == "weighted" and not any(rule.weight for rule in rules):
        raise InvalidRequest("Give at least one of the targets a weight above 0.", param="targets")
    save_valid(row)
    row.targets.all().delete()
    for position, rule in enumerate(rules):
        save_valid(RouteTarget.of_rule(rule, route=row, position=position))


def check_learned(learned: Mapping[str, float]) -> None:
    if len(learned) > MOST_LEARNED:
        raise InvalidRequest(f"A route keeps {MOST_LEARNED} numbers at most.", param="learned")
    for name, number in learned.items():
        if not 0 < len(name) <= LONGEST_LESSON or "\0" in name or not math.isfinite(number):
            raise InvalidRequest("Expected names with finite numbers.", param="learned")
