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
