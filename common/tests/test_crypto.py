import base64
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.crypto import HEADER_BYTES, Keyring, Place, SecretUnreadable, WeakKey

HERE = Place("tenant-a", "row-1", "secret")


def fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


OLD, NEW = fresh_key(), fresh_key()
RING = Keyring([NEW, OLD])


@given(st.binary(max_size=500))
def test_what_is_sealed_opens_again(plaintext):
    sealed = RING.encrypt(plaintext, place=HERE)
    assert RING.decrypt(sealed, place=HERE) == plaintext
    assert len(plaintext) < 4 or plaintext not in sealed


def test_the_same_secret_is_never_sealed_alike():
    assert RING.encrypt(b"key", place=HERE) != RING.encrypt(b"key", place=HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("tenant-b", "row-1", "secret"),
        Place("tenant-a", "row-2", "secret"),
        Place("tenant-a", "row-1", "other_secret"),
        Place("platform", "row-1", "secret"),
    ],
)
def test_a_ciphertext_moved_elsewhere_does_not_open(elsewhere):
    sealed = RING.encrypt(b"the key", place=HERE)
    with pytest.raises(SecretUnreadable):
        RING.decrypt(sealed, place=elsewhere)


def test_tenants_have_different_keys_and_not_only_different_labels():
    """With the label of another tenant, but that tenant's derived key, nothing opens either."""
    sealed = RING.encrypt(b"the key", place=HERE)

    class Lying(Place):
        @property
        def associated(self) -> bytes:
            return HERE.associated

    with pytest.raises(SecretUnreadable):
        RING.decrypt(sealed, place=Lying("tenant-b", "row-1", "secret"))


def test_every_flipped_bit_is_noticed():
    sealed = RING.encrypt(b"the key", place=HERE)
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises(SecretUnreadable):
            RING.decrypt(bytes(altered), place=HERE)


@settings(max_examples=300)
@given(st.binary(max_size=80))
def test_anything_else_is_refused_in_one_way(junk):
    with pytest.raises(SecretUnreadable):
        RING.decrypt(junk, place=HERE)
    with pytest.raises(SecretUnreadable):
        RING.decrypt(RING.encrypt(b"", place=HERE)[:HEADER_BYTES] + junk, place=HERE)


def test_an_old_key_still_opens_and_rewrap_moves_to_the_new_one():
    sealed = Keyring([OLD]).encrypt(b"the key", place=HERE)
    assert not RING.is_current(sealed)
    assert RING.decrypt(sealed, place=HERE) == b"the key"

    moved = RING.rewrap(sealed, place=HERE)
    assert Keyring([NEW]).decrypt(moved, place=HERE) == b"the key"
    assert RING.rewrap(moved, place=HERE) is moved
    with pytest.raises(SecretUnreadable, match="no encryption key"):
        Keyring([NEW]).decrypt(sealed, place=HERE)


def test_rewrap_refuses_a_moved_ciphertext():
    sealed = Keyring([OLD]).encrypt(b"the key", place=HERE)
    with pytest.raises(SecretUnreadable):
        RING.rewrap(sealed, place=Place("tenant-b", "row-1", "secret"))


@pytest.mark.parametrize(
    "key",
    ["", "short", "A" * 43 + "=", fresh_key()[:-4], fresh_key() + "AAAA", "not base64 at all, but long enough!!!!"],
    ids=["empty", "short", "one that repeats", "cut", "too long", "no base64"],
)
def test_a_weak_key_is_refused_without_being_quoted(key):
    with pytest.raises(WeakKey) as refusal:
        Keyring([key])
    assert not key or key not in str(refusal.value)


def test_keys_may_come_without_padding():
    sealed = Keyring([NEW]).encrypt(b"x", place=HERE)
    assert Keyring([NEW.rstrip("=")]).decrypt(sealed, place=HERE) == b"x"


def test_a_place_cannot_be_ambiguous():
    with pytest.raises(ValueError):  # noqa: PT011
        Place("a|b", "c", "d")
    with pytest.raises(ValueError):  # noqa: PT011
        Place("", "c", "d")


def test_a_keyring_does_not_show_its_keys():
    assert NEW not in repr(RING)
