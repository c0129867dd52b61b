"""The price in force for a provider's model: an override, or the price list at a given time."""

from datetime import UTC, datetime, time, timedelta

import msgspec

from providers.models import OfferedModel
from providers.price_list import ListedModel, Rates, find_model, version
from providers.prices import Price, Tier


class DatedPrice(msgspec.Struct, frozen=True):
    """`changes_at` is when the list itself says that another price begins; None where it names no time."""

    price: Price
    changes_at: datetime | None = None


def listed_price(provider_id: str, model: str, *, at: datetime) -> DatedPrice | None:
    """The list's price of `model` at the aware time `at`; None where the list has none."""
    listed = find_model(provider_id, model) if provider_id else None
    if listed is None:
        return None
    moment = at.astimezone(UTC)
    rates = listed.rates_at(moment)
    if rates is None:
        return None
    return DatedPrice(price=price_from_rates(rates, listed), changes_at=next_change(listed, moment))


def override_price(row: OfferedModel) -> Price | None:
    """The rates set by hand; None where the price list is to be followed."""
    if row.input_nano_per_mtok is None or row.output_nano_per_mtok is None:
        return None
    return Price(
        version=f"override/{row.id}/{row.price_revision}",
        input=flat(row.input_nano_per_mtok),
        output=flat(row.output_nano_per_mtok),
        cache_read=flat(row.cache_read_nano_per_mtok),
        cache_write=flat(row.cache_write_nano_per_mtok),
        input_audio=flat(row.input_audio_nano_per_mtok),
        output_audio=flat(row.output_audio_nano_per_mtok),
        nano_per_request=row.nano_per_request,
    )


def price_from_rates(rates: Rates, listed: ListedModel) -> Price:
    return Price(
        version=f"genai-prices/{version()}{validity_mark(rates, listed)}",
        input=tiers(rates.input),
        output=tiers(rates.output),
        cache_read=tiers(rates.cache_read),
        cache_write=tiers(rates.cache_write),
        cache_write_1h=tiers(rates.cache_write_1h),
        input_audio=tiers(rates.input_audio),
        output_audio=tiers(rates.output_audio),
        nano_per_request=rates.nano_per_request,
    )


def validity_mark(rates: Rates, listed: ListedModel) -> str:
    """Tells apart the prices that one model has at different times under one release of the list."""
    if len(listed.rates) == 1:
        return ""
    if rates.since is not None:
        return f"@{rates.since.isoformat()}"
    if rates.daily_from is not None and rates.daily_until is not None:
        return f"@{rates.daily_from:%H:%M}-{rates.daily_until:%H:%M}"
    return "@base"


def next_change(listed: ListedModel, moment: datetime) -> datetime | None:
    """The first boundary of any of the model's rates after `moment`."""
    ahead: list[datetime] = []
    for rates in listed.rates:
        if rates.since is not None:
            ahead.append(datetime.combine(rates.since, time(), UTC))
        for boundary in (rates.daily_from, rates.daily_until):
            if boundary is not None:
                today = datetime.combine(moment.date(), boundary, UTC)
                ahead.append(today if today > moment else today + timedelta(days=1))
    return min((boundary for boundary in ahead if boundary > moment), default=None)


def tiers(pairs: tuple[tuple[int, int], ...]) -> tuple[Tier, ...]:
    return tuple(Tier(above_input_tokens=above, nano_per_mtok=rate) for above, rate in pairs)


def flat(rate: int | None) -> tuple[Tier, ...]:
    return () if rate is None else (Tier(above_input_tokens=0, nano_per_mtok=rate),)
