"""What is written to a cache for an hour is told apart: it costs more."""

import pytest

from providers.wire.anthropic.usage import CacheCreation, ReportedUsage, usage_of


@pytest.mark.parametrize(
    ("total", "minutes", "hour", "written", "for_an_hour"),
    [(300, 100, 200, 300, 200), (None, 100, 200, 300, 200), (300, 300, 0, 300, 0), (50, 0, 200, 50, 50)],
)
def test_writes_for_an_hour_are_part_of_all_writes(total, minutes, hour, written, for_an_hour):
    usage = usage_of(
        ReportedUsage(
            input_tokens=7,
            cache_creation_input_tokens=total,
            cache_creation=CacheCreation(ephemeral_5m_input_tokens=minutes, ephemeral_1h_input_tokens=hour),
        )
    )
    assert (usage.input_tokens, usage.cache_write_tokens) == (7 + written, written)
    assert usage.cache_write_1h_tokens == for_an_hour
