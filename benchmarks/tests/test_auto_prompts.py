"""The labelled set is large enough, evenly labelled, and its held-out third is new to whoever learnt the rest."""

from collections import Counter
from typing import get_args

from benchmarks.auto.labelled import Labelled, held_out, labelled, trained_on
from providers.route_policy import Tier

MOST_SHARED = 0.5


def words_of(each: Labelled) -> str:
    """All that a model would read of it, in small letters, spaces evened out."""
    found: list[str] = []
    gather(each.body, found)
    return " ".join(" ".join(found).lower().split())


def gather(value: object, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in ("role", "type", "tools", "response_format"):
                gather(part, found)
    elif isinstance(value, list):
        for part in value:
            gather(part, found)


def trigrams(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 3] for at in range(max(1, len(text) - 2)))


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def test_there_are_at_least_660_prompts_and_none_stands_twice():
    texts = [words_of(each) for each in labelled()]
    assert len(texts) >= 660
    assert len(set(texts)) == len(texts)


def test_about_a_third_is_held_out_and_every_tier_has_its_share_of_both_parts():
    parts = held_out(), trained_on()
    assert 0.28 < len(parts[0]) / len(labelled()) < 0.39
    for part in parts:
        counts = Counter(each.tier for each in part)
        assert set(counts) == set(get_args(Tier))
        assert all(0.18 < count / len(part) < 0.33 for count in counts.values()), counts


def test_no_held_out_prompt_is_nearly_one_that_was_trained_on():
    seen = [(trigrams(words_of(each)), each) for each in trained_on()]
    for each in held_out():
        own = trigrams(words_of(each))
        closest, other = max(((shared(own, theirs), other) for theirs, other in seen), key=lambda pair: pair[0])
        assert closest < MOST_SHARED, (closest, words_of(each), words_of(other))


def test_every_prompt_is_a_request_that_its_endpoint_takes():
    dialects = {each.request().dialect for each in labelled()}
    assert dialects == {"chat", "completions", "messages", "responses"}


def test_several_languages_and_ways_of_asking_are_there():
    assert {each.language for each in labelled()} >= {"en", "de", "fr", "es", "zh", "ja", "ru", "ar"}
    for part in (held_out(), trained_on()):
        assert any("tools" in each.body for each in part)
        assert any("response_format" in each.body for each in part)
        assert any(len(words_of(each)) > 600 and each.tier == "simple" for each in part)
        assert any(len(words_of(each)) < 90 and each.tier == "reasoning" for each in part)
