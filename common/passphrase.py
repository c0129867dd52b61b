"""Text under a passphrase, for carrying secrets from one installation to another.

scrypt (RFC 7914) makes the key, AES-256-GCM (NIST SP 800-38D) seals; what the envelope says of itself is authenticated.
The cost is fixed, so that an envelope from elsewhere cannot ask for more memory than we mean to spend: 64 MiB.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

METHOD: Final = "scrypt-65536-8-1+aes-256-gcm"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
SHORTEST: Final = 12
LONGEST: Final = 1000


class WrongPassphrase(Exception):
    """It opens nothing: the passphrase is another, or the envelope was altered or is none."""


def sealed(plaintext: bytes, passphrase: str) -> dict[str, str]:
    """`method`, `salt`, `nonce` and `ciphertext`, the last three in base64."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key(passphrase, salt)).encrypt(nonce, plaintext, METHOD.encode())
    parts = {"salt": salt, "nonce": nonce, "ciphertext": ciphertext}
    return {"method": METHOD} | {name: base64.b64encode(part).decode() for name, part in parts.items()}


def opened(envelope: Mapping[str, object], passphrase: str) -> bytes:
    """Raises WrongPassphrase."""
    try:
        salt, nonce, ciphertext = (part(envelope, name) for name in ("salt", "nonce", "ciphertext"))
        if envelope.get("method") != METHOD or len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES:
            raise WrongPassphrase("this is no envelope of ours")
        return AESGCM(key(passphrase, salt)).decrypt(nonce, ciphertext, METHOD.encode())
    except (InvalidTag, ValueError, binascii.Error):
        raise WrongPassphrase("the passphrase does not open it") from None


def part(envelope: Mapping[str, object], name: str) -> bytes:
    value = envelope.get(name)
    if not isinstance(value, str):
        raise WrongPassphrase(f"the envelope has no {name}")
    return base64.b64decode(value, validate=True)


def key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**16, r=8, p=1).derive(passphrase.encode())
