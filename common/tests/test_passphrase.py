"""What opens an envelope, and what does not."""

import pytest

from common.passphrase import WrongPassphrase, opened, sealed

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def envelope():
    return sealed(b"the secret", PASSPHRASE)


def test_the_passphrase_opens_it(envelope):
    assert opened(envelope, PASSPHRASE) == b"the secret"
    assert envelope.keys() == {"method", "salt", "nonce", "ciphertext"}


def test_it_is_another_one_each_time(envelope):
    again = sealed(b"the secret", PASSPHRASE)
    assert all(again[name] != envelope[name] for name in ("salt", "nonce", "ciphertext"))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "scrypt-1-1-1+aes-256-gcm"}, {"salt": ""}, {"salt": "AAAA"}, {"nonce": "AAAAAAAAAAAAAAAA"},
        {"nonce": None}, {"ciphertext": ""}, {"ciphertext": "%%%"}, {"ciphertext": 5}, {"salt": ["x"]},
        {"method": None},
    ],
)  # fmt: skip
def test_an_altered_one_does_not_open(envelope, changed):
    with pytest.raises(WrongPassphrase):
        opened({**envelope, **changed}, PASSPHRASE)


def test_another_passphrase_does_not_open_it(envelope):
    with pytest.raises(WrongPassphrase):
        opened(envelope, PASSPHRASE + " ")
    with pytest.raises(WrongPassphrase):
        opened({}, PASSPHRASE)
