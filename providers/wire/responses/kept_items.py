"""The input items of a kept response, as a list in pages
(platform.openai.com/docs/api-reference/responses/input-items).

All that the model was given: of a response that follows another, what was said before too. Callers leave out most of
what an item has; here each has its `id`, `type` and `status`, and a message's content is a list. Pure.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from common.errors import InvalidRequest
from providers.wire.responses.history import StoredResponse

Order = Literal["asc", "desc"]

PREFIXES: Final = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


class Head(msgspec.Struct):
    """What identifies an item; whoever sent it may have sent anything."""

    id: Any = None
    type: Any = None


class ItemList(msgspec.Struct):
    data: list[dict[str, Any]]  # the field's name in OpenAI's format
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
HEADS: Final = msgspec.json.Decoder(list[Head])
ITEM: Final = msgspec.json.Decoder(dict[str, Any])


def list_items(stored: StoredResponse, *, limit: int, order: Order, after: str | None) -> bytes:
    """One page as JSON. Raises InvalidRequest for an `after` that is none of the items."""
    ids = item_ids(stored.id, HEADS.decode(stored.items))
    places = list(range(len(ids)))
    if order == "desc":
        places.reverse()
    if after is not None:
        if after not in ids:
            raise InvalidRequest(f"There is no item {after[:80]!a} in this response.", param="after")
        places = places[places.index(ids.index(after)) + 1 :]
    raw = ITEMS.decode(stored.items)
    page = [shown(ITEM.decode(raw[place]), ids[place]) for place in places[:limit]]
    named: list[str | None] = [*(ids[place] for place in places[:limit])] or [None]
    return msgspec.json.encode(ItemList(page, named[0], named[-1], len(places) > limit))


def item_ids(response_id: str, heads: Sequence[Head]) -> list[str]:
    """Each its own, so that a page can be asked for by it: as it was given, or made of its place."""
    theirs = {head.id for head in heads if isinstance(head.id, str) and head.id}
    ids: dict[str, None] = {}
    for place, head in enumerate(heads):
        own = head.id if isinstance(head.id, str) else ""
        if not own or own in ids:
            own = f"{PREFIXES.get(kind_of(head.type), 'item')}_{response_id.removeprefix('resp_')}_{place}"
            while own in theirs:
                own += "_"
        ids[own] = None
    return list(ids)


def kind_of(given: Any) -> str:
    return given if isinstance(given, str) else "message"


def shown(item: dict[str, Any], item_id: str) -> dict[str, Any]:
    kind = kind_of(item.get("type"))
    whole = {**item, "id": item_id, "type": kind}
    if kind in PREFIXES:
        whole.setdefault("status", "completed")
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        by_the_model = item.get("role") == "assistant"
        text = {"type": "output_text", "text": content, "annotations": []}
        whole["content"] = [text if by_the_model else {"type": "input_text", "text": content}]
    return whole
