"""What one tenant sees of itself, and nothing of another: models, usage, the ledger's own proof."""

import httpx2
import openai
import pytest

from orchestrator_site.tests.journeys.test_sdk import HELLO


def test_a_tenants_own_provider_is_its_own(product, client):
    upstream = product.peers["llmock"].base_url
    product.manage("create_provider", "private", "--tenant", "acme", "--base-url", upstream, "--model", "gpt-4o")
    answer = client.chat.completions.create(model="private/gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content
    assert "private/gpt-4o" in {card.id for card in client.models.list()}
    with openai.OpenAI(base_url=product.base_url, api_key=product.key_of("globex"), max_retries=0) as globex:
        assert "private/gpt-4o" not in {card.id for card in globex.models.list()}
        with pytest.raises(openai.NotFoundError) as caught:
            globex.chat.completions.create(model="private/gpt-4o", messages=HELLO)
    assert "private/gpt-4o" not in caught.value.message.replace("'private/gpt-4o'", "").replace('"private/gpt-4o"', "")


def test_usage_is_what_the_ledger_holds(product, ledger):
    key = product.keys["hooli"]
    with openai.OpenAI(base_url=product.base_url, api_key=key, max_retries=0) as client:
        answers = [client.chat.completions.create(model="voice/demo-mini", messages=HELLO) for _ in range(3)]
        list(client.chat.completions.create(model="voice/demo-chat", messages=HELLO, stream=True))
    rows = [ledger.only(answer._request_id) for answer in answers]
    ledger.wait_settled()
    report = httpx2.get(
        f"{product.base_url}/usage?group_by=model", headers={"authorization": f"Bearer {key}"}, timeout=20
    ).json()
    by_model = {row["model"]: row for row in report["rows"]}
    assert by_model.keys() == {"voice/demo-mini", "voice/demo-chat"}
    assert by_model["voice/demo-mini"]["requests"] == 3
    assert by_model["voice/demo-mini"]["cost_nano_usd"] == sum(row["cost_nano"] for row in rows)
    assert report["total"]["requests"] == 4
    assert report["total"]["cost_nano_usd"] == ledger.total_cost(rows[0]["tenant_id"])


def test_the_ledger_proves_its_promise(product, client, ledger):
    client.chat.completions.create(model="voice/demo-mini", messages=HELLO)
    ledger.wait_settled()
    assert "Every dispatched attempt has exactly one settlement in force." in product.manage("check_ledger")


def test_nothing_secret_is_in_the_logs(product, acme_key, client):
    client.chat.completions.create(model="voice/demo-mini", messages=HELLO)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nothing-like-this", messages=HELLO)
    secrets = [acme_key, product.key_of("globex"), *(product.environment[name] for name in SECRET_NAMES)]
    logs = "".join(each.log.read_text(errors="replace") for each in product.processes)
    assert logs
    assert not [secret[:8] for secret in secrets if secret in logs]


SECRET_NAMES = ("SECRET_KEY", "API_KEY_PEPPER", "ENCRYPTION_KEY", "DEMO_PROVIDER_KEY", "DATABASE_URL", "REDIS_URL")
