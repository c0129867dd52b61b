"""The input items of a kept response, whatever its caller sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidRequest
from providers.wire.responses.history import StoredResponse
from providers.wire.responses.kept_items import list_items

ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": "2+2?"},
    {"role": "assistant", "content": "I shall see."},
    {"type": "function_call", "id": "fc_given", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "4"},
    {"type": "reasoning", "id": "rs_given", "summary": [], "status": "incomplete"},
    {"type": "vendors_own", "anything": 1},
]


def stored(items):
    return StoredResponse(id="resp_ab", items=json.dumps(items).encode(), response=b"{}")


def listed(items, *, limit=20, order="asc", after=None):
    return json.loads(list_items(stored(items), limit=limit, order=order, after=after))


def test_every_item_is_whole():
    assert listed(ITEMS) == {
        "object": "list",
        "first_id": "msg_ab_0",
        "last_id": "item_ab_5",
        "has_more": False,
        "data": [
            {
                "id": "msg_ab_0",
                "type": "message",
                "role": "user",
                "status": "completed",
                "content": [{"type": "input_text", "text": "2+2?"}],
            },
            {
                "id": "msg_ab_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "I shall see.", "annotations": []}],
            },
            ITEMS[2] | {"status": "completed"},
            ITEMS[3] | {"id": "fco_ab_3", "status": "completed"},
            ITEMS[4],
            ITEMS[5] | {"id": "item_ab_5"},
        ],
    }


def test_the_newest_come_first_when_asked_for():
    page = listed(ITEMS, order="desc", limit=2)
    assert [item["id"] for item in page["data"]] == ["item_ab_5", "rs_given"]
    assert page["has_more"]


def test_a_response_that_was_given_nothing_has_an_empty_list():
    assert listed([]) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_an_item_that_is_not_there_is_nothing_to_go_on_from():
    with pytest.raises(InvalidRequest) as refusal:
        listed(ITEMS, after="msg_ab_9")
    assert refusal.value.param == "after"


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"id": st.sampled_from(["a", "b", "msg_ab_1", "", None, 7])}), max_size=9
    ),
    st.integers(1, 4),
    st.sampled_from(["asc", "desc"]),
)
def test_pages_hold_every_item_once_even_if_ids_are_given_twice(items, limit, order):
    marked = [item | {"mark": place} for place, item in enumerate(items)]
    marks, after = [], None
    for _ in range(len(items) + 1):
        page = listed(marked, limit=limit, order=order, after=after)
        marks += [item["mark"] for item in page["data"]]
        after = page["last_id"]
        if not page["has_more"]:
            break
    assert marks == sorted(range(len(items)), reverse=order == "desc")
