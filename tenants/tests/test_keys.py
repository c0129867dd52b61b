"""The shape of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Unauthenticated
from tenants import keys

PEPPER = "pepper-for-this-test"


def test_a_new_key_parses_back():
    made = keys.generate()
    assert made.text.startswith("orc_")
    assert keys.parse(made.text) == made


def test_two_keys_share_nothing():
    first, second = keys.generate(), keys.generate()
    assert first.key_id != second.key_id
    assert first.secret != second.secret


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_every_secret_of_256_bits_fits(number):
    text = keys.base62(number, keys.SECRET_LENGTH)
    back = 0
    for character in text:
        back = back * 62 + keys.ALPHABET.index(character)
    assert back == number


@given(st.text())
def test_anything_else_is_refused(text):
    with pytest.raises(Unauthenticated):
        keys.parse(text)


@given(st.integers(min_value=0), st.sampled_from(keys.ALPHABET))
def test_a_mistyped_character_is_noticed(position, character):
    text = keys.generate().text
    index = position % len(text)
    mistyped = text[:index] + character + text[index + 1 :]
    if mistyped != text:
        with pytest.raises(Unauthenticated):
            keys.parse(mistyped)


@pytest.mark.parametrize(
    "spoil", [lambda t: t + "\n", lambda t: " " + t, lambda t: t.upper(), lambda t: t[:-1], lambda t: t + "0"]
)
def test_nothing_is_trimmed(spoil):
    with pytest.raises(Unauthenticated):
        keys.parse(spoil(keys.generate().text))


def test_a_digest_depends_on_secret_and_pepper():
    made = keys.generate()
    stored = keys.digest(made.secret, PEPPER)
    assert len(stored) == 32
    assert keys.matches(made.secret, stored, PEPPER)
    assert not keys.matches(keys.generate().secret, stored, PEPPER)
    assert not keys.matches(made.secret, stored, PEPPER + "x")


def test_a_secret_is_not_in_representations():
    made = keys.generate()
    assert made.secret not in repr(made)
