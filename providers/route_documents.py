"""A route's targets and policy, from JSON and back into it.

Whatever JSON can hold may come in: every refusal is an InvalidRequest whose `param` is the place, such as
`targets[1].schedule.time_zone` or `policy.hedge.percent`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from django.core.exceptions import ValidationError

from common.errors import InvalidRequest
from providers.models.names import MODEL_NAME, PROVIDER_NAME
from providers.route_policy import RoutePolicy, TargetRule

T = TypeVar("T", bound=msgspec.Struct)
MOST_TARGETS: Final = 50
MOST_PARAMETERS: Final = 50
MOST_CHARACTERS: Final = 65_536
LONGEST_LABEL: Final = 63
UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.S)
# They say what is asked, and in which form the answer comes: that is the caller's to say.
CALLERS_OWN: Final = frozenset({"model", "messages", "input", "prompt", "stream", "stream_options", "n"})


def read_rules(loose: object) -> tuple[TargetRule, ...]:
    """Each target is "provider/model" or an object with more, as in `route_policy.TargetRule`."""
    if not isinstance(loose, list | tuple) or not 1 <= len(loose) <= MOST_TARGETS:
        raise InvalidRequest(f"A route has a list of 1 to {MOST_TARGETS} targets.", param="targets")
    check_storable(loose, "targets")
    rules = tuple(read_rule(each, f"targets[{i}]") for i, each in enumerate(loose))
    seen: list[TargetRule] = []
    for i, rule in enumerate(rules):
        if msgspec.structs.replace(rule, weight=1) in seen:
            raise InvalidRequest("A route names each target once.", param=f"targets[{i}]")
        seen.append(msgspec.structs.replace(rule, weight=1))
    return rules


def read_rule(loose: object, place: str) -> TargetRule:
    if isinstance(loose, str):
        check_target(loose, place)
        return TargetRule(target=loose)
    rule = converted(loose, TargetRule, place)
    check_target(rule.target, f"{place}.target")
    if len(rule.credential) > LONGEST_LABEL:
        raise InvalidRequest(f"A label has {LONGEST_LABEL} characters at most.", param=f"{place}.credential")
    check_parameters(rule.parameters, f"{place}.parameters")
    if rule.schedule is not None:
        check_time_zone(rule.schedule.time_zone, f"{place}.schedule.time_zone")
    return rule


def read_policy(loose: object) -> RoutePolicy:
    check_storable(loose, "policy")
    policy = converted(loose, RoutePolicy, "policy")
    for place, target in named_targets(policy):
        check_target(target, place)
    return policy


def named_targets(policy: RoutePolicy) -> Iterator[tuple[str, str]]:
    """Every place where a policy names a target, with what it names."""
    for role in ("canary", "shadow"):
        if (rule := getattr(policy, role)) is not None:
            yield f"policy.{role}.target", rule.target
    for cause in policy.fallbacks.__struct_fields__:
        for i, target in enumerate(getattr(policy.fallbacks, cause)):
            yield f"policy.fallbacks.{cause}[{i}]", target


def rule_document(rule: TargetRule) -> dict[str, Any]:
    """`target`, and what is not as usual."""
    return as_json(rule)


def policy_document(policy: RoutePolicy) -> dict[str, Any]:
    """What is not as usual."""
    return as_json(policy)


def as_json(struct: msgspec.Struct) -> dict[str, Any]:
    """As it comes back from the database: with lists for tuples."""
    document: dict[str, Any] = json.loads(json.dumps(msgspec.to_builtins(struct)))
    return document


def converted(loose: object, kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(loose, kind)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `$")
        within = place + path.removesuffix("`")
        if unknown := UNKNOWN.fullmatch(fault):
            raise InvalidRequest("There is no such field.", param=f"{within}.{unknown[1]}") from None
        raise InvalidRequest(f"{fault}.", param=within) from None


def check_target(name: str, place: str) -> None:
    provider, slash, model = name.partition("/")
    try:
        PROVIDER_NAME(provider)
        MODEL_NAME(model)
    except ValidationError:
        slash = ""
    if not slash:
        raise InvalidRequest(f"{name[:200]!r} is not a target; name it provider/model.", param=place)


def check_parameters(parameters: dict[str, Any], place: str) -> None:
    if len(parameters) > MOST_PARAMETERS:
        raise InvalidRequest(f"Use {MOST_PARAMETERS} parameters at most.", param=place)
    if callers := sorted(CALLERS_OWN & parameters.keys()):
        raise InvalidRequest("This is for the caller to say; no route changes it.", param=f"{place}.{callers[0]}")


def check_time_zone(name: str, place: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise InvalidRequest("There is no such time zone; use a name such as Europe/Berlin.", param=place) from None


def check_storable(loose: object, place: str) -> None:
    """Neither the database nor a provider takes numbers and characters that JSON has no right way to write."""
    try:
        text = json.dumps(loose, allow_nan=False, ensure_ascii=False)
        text.encode()
        msgspec.json.encode(loose)
    except (ValueError, OverflowError, RecursionError):
        raise InvalidRequest("This holds a number or a character that JSON cannot.", param=place) from None
    if "\\u0000" in text:
        raise InvalidRequest("This holds a null character.", param=place)
    if len(text) > MOST_CHARACTERS:
        raise InvalidRequest(f"This is longer than {MOST_CHARACTERS} characters.", param=place)
