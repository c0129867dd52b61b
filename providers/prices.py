"""Prices as values: integer nano-USD per million tokens, with tiers.

Resolved once per (provider, model); `billing.pricing` does the arithmetic.
"""

import msgspec


class Tier(msgspec.Struct, frozen=True):
    """`nano_per_mtok` applies to a request whose input is more than `above_input_tokens`."""

    above_input_tokens: int
    nano_per_mtok: int


class Price(msgspec.Struct, frozen=True):
    """Rates by kind of token, each a tuple of tiers in rising order, the first with `above_input_tokens=0`.

    An empty tuple for a part (cache, audio) means that it is priced as the total it is contained in;
    what is written to a cache for an hour, as all that is written.
    `nano_per_request` is a flat fee. `version` names source and revision, and is kept on every
    ledger row: equal versions mean equal rates.
    """

    version: str
    input: tuple[Tier, ...]
    output: tuple[Tier, ...]
    cache_read: tuple[Tier, ...] = ()
    cache_write: tuple[Tier, ...] = ()
    input_audio: tuple[Tier, ...] = ()
    output_audio: tuple[Tier, ...] = ()
    nano_per_request: int = 0
    cache_write_1h: tuple[Tier, ...] = ()
