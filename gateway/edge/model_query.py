"""The parameters of GET /v1/models."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec

from common.errors import InvalidRequest
from providers.card_filters import FILTERS, CardFilter, parse_filter, refuse_unknown, single, whole_number
from providers.catalogue import ModelCard

PARAMETERS: Final = (*FILTERS, "limit", "after")
# What some clients put behind every path of theirs.
PASSED_OVER: Final = frozenset({"api-version", "client_version", "beta"})
MOST_PARAMETERS: Final = 50
LARGEST_PAGE: Final = 1000


class ModelQuery(msgspec.Struct, frozen=True):
    """`after` is the id that the page before ended with; without `limit` everything comes at once."""

    filter: CardFilter
    limit: int | None = None
    after: str | None = None

    def page(self, cards: tuple[ModelCard, ...]) -> tuple[list[ModelCard], bool]:
        """The chosen cards in the order of their ids, and whether there are more."""
        chosen = self.filter.chosen(cards)
        if self.after is not None:
            chosen = [card for card in chosen if card.id > self.after]
        return chosen[: self.limit], self.limit is not None and len(chosen) > self.limit


def parse_model_query(query_string: bytes) -> ModelQuery:
    """Raises InvalidRequest naming the parameter."""
    query = parameters(query_string)
    refuse_unknown(query, PARAMETERS)
    return ModelQuery(
        filter=parse_filter(query),
        limit=whole_number(query, "limit", least=1, most=LARGEST_PAGE),
        after=single(query, "after"),
    )


def parameters(query_string: bytes) -> Mapping[str, list[str]]:
    try:
        found = parse_qs(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise InvalidRequest(f"The query has more than {MOST_PARAMETERS} parameters.") from None
    return {name: values for name, values in found.items() if name not in PASSED_OVER}
