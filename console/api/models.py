"""GET /v1/models/providers, /v1/models/search and /v1/models/compare: what can be asked for, and how it did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.statistics import Performance, Statistics, Subject, statistics
from common.errors import InvalidRequest
from console.api.asking import query_of, visible_to
from console.api.model_schemas import ComparisonSchema, ModelProvidersSchema, ModelsFoundSchema
from console.api.performance import rendered_performance
from gateway.edge.models import model_object
from gateway.permitted import check_permitted, permitted_cards, unknown_to
from providers.card_filters import FILTERS, parse_filter, single, whole_number
from providers.card_search import search
from providers.catalogue import ModelCard, Offer, UnknownModel
from providers.visible import Visible
from tenants.api_authentication import caller_with
from tenants.identity import KeyRecord
from tenants.scopes import Scope

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LONGEST_SEARCH: Final = 200
PAGE: Final = 20
LARGEST_PAGE: Final = 100
MOST_COMPARED: Final = 20

By = dict[tuple[str, str, str | None], Performance]


class ModelProvidersView(APIView):
    """Who offers models to the tenant."""

    @extend_schema(
        operation_id="listModelProviders",
        summary="Providers and how they did",
        description=(
            "Your own providers, and those of the platform that you may use, with the number of their models and what "
            "you saw of them in the last 24 hours. Needs the scope `models:read`."
        ),
        responses={200: ModelProvidersSchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.MODELS_READ)
        query_of(request, ())
        until = datetime.now(UTC)
        seen = by_subject(statistics(caller.tenant, since=until - DAY, until=until, group_by=Subject.PROVIDER))
        visible, _ = visible_to(caller)
        rows = [
            {
                "object": "provider",
                "name": name,
                "scope": scope,
                "models": models,
                "statistics": rendered_performance(seen.get((name, scope, None), Performance()), DAY),
            }
            for (name, scope), models in counted(visible)
        ]
        return Response({"object": "list", "period": "24h", "data": rows})


class ModelSearchView(APIView):
    """Models by a few words."""

    @extend_schema(
        operation_id="searchModels",
        summary="Find models",
        description=(
            "Every word of `q` is in a model's name, display name or provider; the closest come first. The parameters "
            "of the list of models choose among them; what the key may not ask for is not found. Needs the scope "
            "`models:read`."
        ),
        parameters=[
            OpenApiParameter("q", str, required=True, description=f"1 to {LONGEST_SEARCH} characters."),
            *(OpenApiParameter(name, str, description="As for the list of models.") for name in FILTERS),
            OpenApiParameter("limit", int, description=f"1 to {LARGEST_PAGE}; {PAGE} without it."),
            OpenApiParameter("after", str, description="The id that the page before ended with."),
        ],
        responses={200: ModelsFoundSchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.MODELS_READ)
        query = query_of(request, ("q", *FILTERS, "limit", "after"))
        wanted = searched(query)
        chosen = parse_filter(query)
        limit = whole_number(query, "limit", least=1, most=LARGEST_PAGE) or PAGE
        visible, key = visible_to(caller)
        cards = permitted_cards(key, visible.cards())
        found = rest(search(chosen.chosen(cards), wanted), single(query, "after"))
        return Response(
            {
                "object": "list",
                "data": [msgspec.to_builtins(model_object(card)) for card in found[:limit]],
                "has_more": len(found) > limit,
            }
        )


class ModelComparisonView(APIView):
    """Models side by side."""

    @extend_schema(
        operation_id="compareModels",
        summary="Compare models",
        description=(
            "Prices, context, capabilities, and what you saw of each in the last 7 days. A route is compared by its "
            "first target. Needs the scope `models:read`."
        ),
        parameters=[
            OpenApiParameter(
                "model_ids", str, required=True, description=f"1 to {MOST_COMPARED} names, separated by commas."
            )
        ],
        responses={200: ComparisonSchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.MODELS_READ)
        names = compared(query_of(request, ("model_ids",)))
        visible, key = visible_to(caller)
        offers = [first_offer(visible, key, name) for name in names]
        until = datetime.now(UTC)
        seen = by_subject(statistics(caller.tenant, since=until - WEEK, until=until, group_by=Subject.MODEL))
        rows = [rendered_offer(name, offer, seen) for name, offer in zip(names, offers, strict=True)]
        return Response({"object": "list", "period": "7d", "data": rows})


def counted(visible: Visible) -> list[tuple[tuple[str, str], int]]:
    """How many models each (provider, scope) offers, sorted; the tenant's own providers without any too."""
    found = Counter((offer.target.provider, str(offer.target.provider_scope)) for offer in visible.offers())
    for name in visible.own.providers:
        found.setdefault((name, "tenant"), 0)
    return sorted(found.items())


def by_subject(found: Statistics) -> By:
    return {(row.provider, row.scope, row.model): row.performance for row in found.rows}


def searched(query: Mapping[str, Sequence[str]]) -> str:
    wanted = (single(query, "q") or "").strip()
    if not 0 < len(wanted) <= LONGEST_SEARCH:
        raise InvalidRequest(f"q must have 1 to {LONGEST_SEARCH} characters.", param="q")
    return wanted


def rest(found: list[ModelCard], after: str | None) -> list[ModelCard]:
    """What comes after the card of that id. Raises InvalidRequest where there is none."""
    if after is None:
        return found
    place = next((index for index, card in enumerate(found) if card.id == after), None)
    if place is None:
        raise InvalidRequest("after must be the id of a model that this search finds.", param="after")
    return found[place + 1 :]


def compared(query: Mapping[str, Sequence[str]]) -> list[str]:
    """The names in the order in which they came, each once."""
    names = [name.strip() for text in query.get("model_ids", ()) for name in text.split(",")]
    if not names or "" in names or len(names) > MOST_COMPARED:
        raise InvalidRequest(f"model_ids takes 1 to {MOST_COMPARED} names, separated by commas.", param="model_ids")
    return list(dict.fromkeys(names))


def first_offer(visible: Visible, key: KeyRecord, name: str) -> Offer:
    """Raises NotFound and PermissionDenied, naming it."""
    try:
        resolution = visible.resolve(name)
    except UnknownModel as unknown:
        raise unknown_to(key, unknown, "model_ids") from None
    check_permitted(key, name, resolution, "model_ids")
    return visible.first_offer(resolution)


def rendered_offer(name: str, offer: Offer, seen: By) -> dict[str, Any]:
    target = offer.target
    observed = seen.get((target.provider, target.provider_scope, target.model), Performance())
    return {
        **msgspec.to_builtins(model_object(offer.card)),
        "requested": name,
        "scope": target.provider_scope,
        "observed": rendered_performance(observed, WEEK),
    }
