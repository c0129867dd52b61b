"""What can be asked for and how it did, over real HTTP: the gateway's list and the control plane's words beside it."""

import time

import httpx2
import openai
import pytest

HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def get(product, client):
    def ask(path, **query):
        answer = httpx2.get(
            f"{product.base_url}{path}",
            params=query,
            headers={"authorization": f"Bearer {client.api_key}"},
            timeout=30,
        )
        return answer.status_code, answer.json()

    return ask


def test_the_sdk_lists_models_and_finds_each_whatever_words_are_reserved(client):
    listed = list(client.models.list())
    assert len(listed) > 1
    assert client.models.retrieve(listed[0].id).id == listed[0].id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("search-preview")


def test_a_filter_a_search_and_a_comparison_agree(client, get):
    model = next(each.id for each in client.models.list() if each.id.startswith("voice/"))
    _, chosen = get("/models", provider="voice")
    assert model in [each["id"] for each in chosen["data"]]
    _, found = get("/models/search", q=model)
    assert found["data"][0]["id"] == model
    status, compared = get("/models/compare", model_ids=model)
    assert (status, compared["data"][0]["id"]) == (200, model)
    assert compared["data"][0]["pricing"] == found["data"][0]["pricing"] is not None


def test_an_answer_shows_in_the_statistics(client, get):
    def requests():
        _, answer = get("/statistics", period="24h", group_by="model")
        return sum(row["requests"] for row in answer["rows"] if row["provider"] == "voice")

    before = requests()
    client.chat.completions.create(model="voice/demo-chat", messages=HELLO)
    deadline = time.monotonic() + 10
    while requests() == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "voice" in [each["name"] for each in get("/models/providers")[1]["data"]]
    assert "voice" in [each["provider"] for each in get("/health/providers")[1]["data"]]
