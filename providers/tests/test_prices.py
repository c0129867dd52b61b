"""Prices read from the extract against the package they were taken from."""

from datetime import UTC, datetime, timedelta

import pytest
from genai_prices.data import providers as listed_providers

from providers.models import OfferedModel
from providers.price_extract import extract
from providers.price_list import PATH, find_model
from providers.pricing_source import listed_price, override_price
from providers.tests.listed_models import MODELS, NOW


def test_the_committed_extract_is_what_the_installed_package_gives():
    assert PATH.read_text() == extract(), "run manage.py write_price_list"


def test_every_model_is_found_where_the_package_finds_it():
    for provider in listed_providers:
        for model in provider.models:
            theirs = provider.find_model(model.id, all_providers=listed_providers)
            ours = find_model(provider.id, model.id)
            assert (ours and ours.id) == (theirs and theirs.id), (provider.id, model.id)


def test_tiers_are_kept():
    dated = listed_price("google", "gemini-2.5-pro", at=NOW)
    assert dated is not None
    assert [tier.above_input_tokens for tier in dated.price.input] == [0, 200_000]
    assert [tier.nano_per_mtok for tier in dated.price.input] == [1_250_000_000, 2_500_000_000]


def test_a_price_by_the_clock_says_when_it_changes_and_names_its_hours():
    night = listed_price("deepseek", "deepseek-chat", at=datetime(2026, 11, 21, 17, 0, tzinfo=UTC))
    day = listed_price("deepseek", "deepseek-chat", at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    assert night is not None
    assert day is not None
    assert day.price.input[0].nano_per_mtok > night.price.input[0].nano_per_mtok
    assert day.price.version != night.price.version
    assert day.changes_at == datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    assert night.changes_at == datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


def test_a_price_changes_no_earlier_than_it_says():
    for provider_id, model in MODELS:
        dated = listed_price(provider_id, model, at=NOW)
        if dated is None or dated.changes_at is None:
            continue
        before = listed_price(provider_id, model, at=dated.changes_at - timedelta(seconds=1))
        assert before is not None
        assert before.price == dated.price, model


def test_equal_versions_of_a_model_mean_equal_prices():
    for provider in listed_providers:
        for model in provider.models:
            found = [
                listed_price(provider.id, model.id, at=NOW - timedelta(days=days, hours=days % 24))
                for days in (0, 7, 90, 400)
            ]
            prices = {dated.price.version: dated.price for dated in found if dated}
            assert all(prices[dated.price.version] == dated.price for dated in found if dated)


@pytest.mark.parametrize(
    ("provider_id", "model"),
    [("openai", "no-such-model"), ("", "gpt-4o"), ("nobody", "gpt-4o"), ("google", "gemini-2.5-flash-image")],
)
def test_what_has_no_price_for_chat_has_none(provider_id, model):
    assert listed_price(provider_id, model, at=NOW) is None


def test_an_override_is_its_rates_and_names_its_row():
    row = OfferedModel(
        price_revision=3, input_nano_per_mtok=150_000_000, output_nano_per_mtok=600_000_000, nano_per_request=7
    )
    price = override_price(row)
    assert price is not None
    assert price.version == f"override/{row.id}/3"
    assert [tier.nano_per_mtok for tier in price.input + price.output] == [150_000_000, 600_000_000]
    assert price.nano_per_request == 7
