"""Prices as callers read them, and what a model's capabilities say of its modalities."""

import msgspec
import pytest

from providers.modalities import modalities_of
from providers.prices import Price, Tier
from providers.shown_prices import marked_up, shown_price, usd_text

FLAT = Price(version="t", input=(Tier(0, 150_000_000),), output=(Tier(0, 600_000_000),))


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (150_000_000, "0.15"),
        (2_500_000_000, "2.50"),
        (75_000_000_000_000, "75000.00"),
        (1_234_567_890, "1.23456789"),
    ],
)
def test_a_rate_is_written_exactly_and_without_an_exponent(nano, text):
    assert usd_text(nano) == text


def test_what_has_no_rate_of_its_own_is_left_out():
    assert msgspec.to_builtins(shown_price(FLAT)) == {
        "input": {"nano_usd_per_mtok": 150_000_000, "usd_per_mtok": "0.15"},
        "output": {"nano_usd_per_mtok": 600_000_000, "usd_per_mtok": "0.60"},
    }


def test_the_rates_of_long_requests_and_the_flat_fee_are_told():
    price = msgspec.structs.replace(
        FLAT, input=(Tier(0, 1), Tier(200_000, 2)), cache_read=(Tier(0, 5),), nano_per_request=7
    )
    shown = msgspec.json.decode(msgspec.json.encode(shown_price(price)))
    assert shown["input"]["tiers"] == [
        {"above_input_tokens": 200_000, "nano_usd_per_mtok": 2, "usd_per_mtok": "0.000000002"}
    ]
    assert (shown["cache_read"]["nano_usd_per_mtok"], shown["nano_usd_per_request"]) == (5, 7)


def test_a_mark_up_is_in_what_is_shown():
    shown = shown_price(FLAT, 250)
    assert shown is not None
    assert (shown.input.nano_usd_per_mtok, shown.output.usd_per_mtok) == (153_750_000, "0.615")


@pytest.mark.parametrize(
    ("nano", "basis_points", "expected"), [(1, 5_000, 2), (3, 5_000, 4), (5, 5_000, 8), (10, 1, 10)]
)
def test_a_mark_up_rounds_half_even(nano, basis_points, expected):
    assert marked_up(nano, basis_points) == expected


def test_an_unpriced_model_shows_no_price():
    assert shown_price(None) is None


def test_modalities_come_from_the_words_of_vendors_and_from_audio_rates():
    assert modalities_of((), None) == ("text",)
    assert modalities_of(("PDF", "tools", "vision"), None) == ("text", "image", "document")
    assert modalities_of((), msgspec.structs.replace(FLAT, output_audio=(Tier(0, 1),))) == ("text", "audio")
