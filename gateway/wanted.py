"""The models that a request names itself: the first, and those to fall back to.

`models` are OpenRouter's (openrouter.ai/docs/features/model-routing): names in the order to be tried, after `model`
where that is given as well. `fallbacks` are LiteLLM's (docs.litellm.ai/docs/proxy/reliability): names, or objects with
a `model`. No provider sees either field. A tenant may forbid them (`request_fallbacks`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from common.errors import InvalidRequest
from gateway.permitted import check_permitted, unknown_to
from providers.catalogue import Candidate, Resolution, UnknownModel
from providers.wire.named import NULL, SEVERAL, listed
from providers.wire.shapes import ChatRequest

if TYPE_CHECKING:
    from gateway.calls import Call, Caller
    from gateway.configs import Configs

FALLBACKS: Final = "fallbacks"
FIELDS: Final = (SEVERAL, FALLBACKS)
DIALECTS: Final = frozenset(("chat", "completions", "messages", "responses"))
MOST_NAMES: Final = 10
LONGEST_NAME: Final = 265


class Alternative(msgspec.Struct, forbid_unknown_fields=True):
    model: str


NAMED: Final = msgspec.json.Decoder(str | Alternative)


class Named(NamedTuple):
    """`param` is where the name stands in the request, such as `models[2]`."""

    name: str
    param: str


class Wanted(NamedTuple):
    """`request` asks for the first model and holds neither field; `further` are the others, each once."""

    request: ChatRequest
    further: tuple[Named, ...] = ()


def wanted(request: ChatRequest, *, may_name: bool = True) -> Wanted:
    """Raises InvalidRequest naming the field, also where the tenant does not let a request name any (`may_name`)."""
    fields = request.fields
    if (SEVERAL not in fields and FALLBACKS not in fields) or request.dialect not in DIALECTS:
        return Wanted(request)
    named = [each for field in FIELDS for each in names_in(fields, field)]
    if named and not may_name:
        raise InvalidRequest(
            "This tenant does not let a request name models to fall back to.",
            param=named[0].param.partition("[")[0],
            code="fallbacks_not_allowed",
        )
    if len(named) > MOST_NAMES:
        field = named[MOST_NAMES].param.partition("[")[0]
        raise InvalidRequest(
            f"'{field}' leads to more than {MOST_NAMES} models; name at most {MOST_NAMES}.", param=field
        )
    others: dict[str, Named] = {}
    for each in named:
        if each.name != request.model:
            others.setdefault(each.name, each)
    bare = {name: raw for name, raw in fields.items() if name not in FIELDS}
    return Wanted(msgspec.structs.replace(request, fields=bare), tuple(others.values()))


def names_in(fields: Mapping[str, msgspec.Raw], field: str) -> Iterator[Named]:
    if fields.get(field, NULL) == NULL:
        return
    # One more than may be there is read, so that a long list takes no longer.
    for index, raw in enumerate(listed(fields, field)[: MOST_NAMES + 1]):
        yield Named(name_in(raw, f"{field}[{index}]"), f"{field}[{index}]")


def name_in(raw: msgspec.Raw, param: str) -> str:
    try:
        given = NAMED.decode(raw)
    except msgspec.DecodeError:
        raise InvalidRequest(
            f"'{param}' must be a model's name, or an object with nothing but its `model`.",
            param=param,
            code="invalid_type",
        ) from None
    name = given if isinstance(given, str) else given.model
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidRequest(f"'{param}' must have 1 to {LONGEST_NAME} characters.", param=param)
    return name


async def understood(configs: "Configs", call: "Call", caller: "Caller") -> tuple["Call", Resolution]:
    """The call without the names that it brought, and what it may be answered by.

    Raises InvalidRequest, NotFound, PermissionDenied, Unavailable.
    """
    asked = wanted(call.request, may_name=caller.config.identity.request_fallbacks)
    chosen = await resolve_wanted(configs, caller, asked)
    return (call if asked.request is call.request else replace(call, request=asked.request)), chosen


async def resolve_wanted(configs: "Configs", caller: "Caller", wanted: Wanted) -> Resolution:
    """What the request may be answered by: its first model's candidates, then its further ones' as fallbacks for any
    failure, each target once.

    Raises NotFound and PermissionDenied, naming the place of the name; Unavailable.
    """
    first = await one(configs, caller, Named(wanted.request.model, "model"))
    if not wanted.further:
        return first
    others = [await one(configs, caller, named) for named in wanted.further]
    known = {each.target.key for each in first.candidates if each.role == "target"}
    added: list[Candidate] = []
    for each in (each for other in others for each in other.candidates if each.role == "target"):
        if each.target.key not in known:
            known.add(each.target.key)
            added.append(Candidate(each.target, role="fallback", cause="any", tags=each.tags, schedule=each.schedule))
    return Resolution(first.name, (*first.candidates, *added), first.route)


async def one(configs: "Configs", caller: "Caller", named: Named) -> Resolution:
    """What one name means. Raises NotFound and PermissionDenied, naming its place; Unavailable."""
    try:
        resolution = await configs.resolve(caller.config, named.name)
    except UnknownModel as error:
        raise unknown_to(caller.record, error, named.param) from None
    check_permitted(caller.record, named.name, resolution, named.param)
    return resolution
