"""Secrets at rest: AES-256-GCM under a key of the tenant's own, derived from the operator's key.

    ENCRYPTION_KEY (the key-encryption key) ── HKDF-SHA256, info = tenant ──► tenant key ── AES-GCM ──► secret

The tenant key is derived rather than stored wrapped in a row: there is then no second secret to keep, back up and
lose, and one tenant's key opens nothing of another's. What that gives up is destroying a tenant's secrets by
destroying its key; dropping the tenant's schema drops the ciphertexts themselves.

A sealed secret is `version (1) | key id (8) | nonce (12) | ciphertext and tag`. The place it belongs to (tenant, row,
field) and its header are authenticated, so that it opens nowhere else. HKDF: RFC 5869; AES-GCM: NIST SP 800-38D,
whose bound of 2³² random nonces a key no tenant's secrets come near.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
TAG_BYTES = 16


class WeakKey(ValueError):
    """An encryption key is not 32 bytes in URL-safe base64. The message never quotes it."""


class SecretUnreadable(Exception):
    """A sealed secret does not open: wrong key, wrong place, or altered."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret belongs. `tenant` is the tenant's id, or "platform"; `row` the row's id; `field` its column."""

    tenant: str
    row: str
    field: str

    def __post_init__(self) -> None:
        if any(not part or "|" in part for part in (self.tenant, self.row, self.field)):
            raise ValueError("the parts of a place are not empty and hold no |")

    @property
    def associated(self) -> bytes:
        return f"{self.tenant}|{self.row}|{self.field}".encode()


class Keyring:
    """The operator's keys, newest first: the first seals, all open."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` as ENCRYPTION_KEY gives them, 32 bytes each in URL-safe base64. Raises WeakKey."""
        if not keys:
            raise WeakKey("there is no encryption key")
        decoded = [decode_key(key) for key in keys]
        self._keys = {key_id(key): key for key in decoded}
        self._current = key_id(decoded[0])

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys)"

    def encrypt(self, plaintext: bytes, *, place: Place) -> bytes:
        header = VERSION + self._current
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._cipher(self._current, place.tenant)
        return header + nonce + cipher.encrypt(nonce, plaintext, header + place.associated)

    def decrypt(self, sealed: bytes, *, place: Place) -> bytes:
        """Raises SecretUnreadable."""
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or sealed[:1] != VERSION:
            raise SecretUnreadable("this is not a sealed secret")
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        cipher = self._cipher(header[1:], place.tenant)
        try:
            return cipher.decrypt(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + place.associated)
        except InvalidTag:
            raise SecretUnreadable(f"the secret does not belong to {place.field} of {place.row}") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether `sealed` is under the newest key already."""
        return sealed[:HEADER_BYTES] == VERSION + self._current

    def rewrap(self, sealed: bytes, *, place: Place) -> bytes:
        """The same secret under the newest key; unchanged if it is there already. Raises SecretUnreadable."""
        if self.is_current(sealed):
            return sealed
        return self.encrypt(self.decrypt(sealed, place=place), place=place)

    def _cipher(self, identifier: bytes, tenant: str) -> AESGCM:
        key = self._keys.get(identifier)
        if key is None:
            raise SecretUnreadable(f"no encryption key with id {identifier.hex()} is configured")
        info = b"orchestrator tenant key 1|" + tenant.encode()
        return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key))


def decode_key(text: str) -> bytes:
    """The 32 bytes in `text`, with or without padding. Raises WeakKey."""
    try:
        key = base64.b64decode(text.strip().rstrip("=") + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < 8:
        raise WeakKey(
            "an encryption key must be 32 random bytes in URL-safe base64, for example from "
            '`python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"`'
        )
    return key


def key_id(key: bytes) -> bytes:
    """What the header says of a key: enough to find it, nothing to guess it by."""
    return hashlib.sha256(b"orchestrator key id|" + key).digest()[:KEY_ID_BYTES]
