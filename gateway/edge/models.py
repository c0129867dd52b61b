"""GET /v1/models and /v1/models/{id} (platform.openai.com/docs/api-reference/models)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from gateway.edge.asgi import Receive
from gateway.edge.callers import reader
from gateway.edge.model_query import parse_model_query
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.permitted import permitted_cards
from gateway.wanted import Named, one
from providers.catalogue import ModelCard, find_card, list_cards
from providers.shown_prices import PriceShown
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services


class ModelObject(msgspec.Struct):
    """OpenAI's four fields, and what else is known of a model."""

    id: str
    created: int
    owned_by: str
    object: Literal["model"] = "model"
    provider: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    pricing: PriceShown | None = None


class ModelList(msgspec.Struct):
    data: list[ModelObject]  # the field's name in OpenAI's format
    object: Literal["list"] = "list"
    has_more: bool = False


async def list_models(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """Everything that the key may ask for, or of that what the query asks for."""
    caller = await reader(services, request, Scope.MODELS_READ)
    platform = await services.configs.platform()
    config = caller.config
    offered = list_cards(config.catalogue, platform.catalogue, config.identity.plan_name)
    cards = permitted_cards(caller.record, offered)
    if request.query:
        await response.json(model_list(*parse_model_query(request.query).page(cards)), [])
    else:
        await response.json(model_list(cards), [])


async def one_model(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """Raises NotFound for a name that means nothing, PermissionDenied for what the key may not ask for."""
    caller = await reader(services, request, Scope.MODELS_READ)
    platform = await services.configs.platform()
    config, identity = caller.config, caller.config.identity
    await one(services.configs, caller, Named(request.name, "model"))
    card = find_card(request.name, config.catalogue, platform.catalogue, identity.default_model, identity.plan_name)
    await response.json(msgspec.json.encode(model_object(card)), [])


def model_list(cards: Iterable[ModelCard], has_more: bool = False) -> bytes:
    return msgspec.json.encode(ModelList([model_object(card) for card in cards], has_more=has_more))


def model_object(card: ModelCard) -> ModelObject:
    return ModelObject(
        id=card.id,
        created=card.created,
        owned_by=card.owned_by,
        provider=card.provider,
        context_window=card.context_window,
        capabilities=card.capabilities,
        modalities=card.modalities,
        pricing=card.pricing,
    )
