"""Responses that follow each other, by the official SDK; and whose they are."""

import openai
import pytest


@pytest.fixture
def globex(product):
    with openai.OpenAI(base_url=product.base_url, api_key=product.key_of("globex"), max_retries=0) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_response_is_kept_found_followed_and_deleted(client, globex, stream):
    if stream:
        events = client.responses.create(model="voice/demo-chat", input="My name is Ada.", stream=True)
        (first,) = [event.response for event in events if event.type == "response.completed"]
    else:
        first = client.responses.create(model="voice/demo-chat", input="My name is Ada.")
    assert client.responses.retrieve(first.id).output_text == first.output_text != ""
    second = client.responses.create(model="voice/demo-chat", input="Who am I?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    # What was said before was sent along, and is paid for.
    assert second.usage.input_tokens > first.usage.input_tokens

    for call in (globex.responses.retrieve, globex.responses.delete):
        with pytest.raises(openai.NotFoundError):
            call(first.id)
    with pytest.raises(openai.BadRequestError) as refusal:
        globex.responses.create(model="voice/demo-chat", input="x", previous_response_id=first.id)
    assert (refusal.value.code, refusal.value.param) == ("previous_response_not_found", "previous_response_id")

    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_what_is_not_to_be_kept_is_not(client):
    answer = client.responses.create(model="voice/demo-chat", input="Forget this.", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


@pytest.mark.parametrize("previous", [7, "resp_x", ""])
def test_a_previous_response_that_is_none(client, previous):
    if previous == "":
        assert client.responses.create(model="voice/demo-chat", input="x", previous_response_id="").output_text
        return
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model="voice/demo-chat", input="x", previous_response_id=previous)
    assert refusal.value.param == "previous_response_id"


def test_what_a_response_was_asked_is_listed_page_by_page(client, globex):
    first = client.responses.create(model="voice/demo-chat", input="My name is Ada.")
    second = client.responses.create(
        model="voice/demo-chat",
        input=[{"role": "user", "content": "Who am I?"}],
        previous_response_id=first.id,
        instructions="Be brief.",
    )
    items = list(client.responses.input_items.list(second.id, order="asc", limit=1))
    assert [(item.type, item.role, item.status) for item in items] == [
        ("message", "user", "completed"),
        ("message", "assistant", "completed"),
        ("message", "user", "completed"),
    ]
    texts = [item.content[0].text for item in items]
    assert texts == ["My name is Ada.", first.output_text, "Who am I?"]
    assert [item.id for item in client.responses.input_items.list(second.id)] == [item.id for item in reversed(items)]
    with pytest.raises(openai.NotFoundError):
        globex.responses.input_items.list(second.id)


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"order": "up"}, "order"), ({"after": "msg_x"}, "after")],
)
def test_a_page_that_cannot_be_is_refused_by_its_name(client, query, param):
    answer = client.responses.create(model="voice/demo-chat", input="x")
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.input_items.list(answer.id, **query)
    assert refusal.value.param == param
