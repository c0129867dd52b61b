"""Who is asking: an API key held against a snapshot of its tenant."""

import hashlib
from typing import Final

from tenants.authorization import prove
from tenants.identity import IdentitySnapshot, KeyRecord
from tenants.keys import ParsedKey, parse

MOST_VERIFIED: Final = 10_000


class Presented:
    """A key as the caller sent it: its text for as long as the request lasts, and a name to know it again by."""

    __slots__ = ("_text", "fingerprint")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.fingerprint = hashlib.sha256(text).digest()

    def parsed(self) -> ParsedKey:
        """Raises Unauthenticated for what was never one of our keys."""
        return parse(self._text.decode("latin-1"))


class VerifiedKeys:
    """Which record a key was once proven to belong to, so that the same key is not proven on each request.

    A record is good for the snapshot that holds that very record: one that was loaded again proves its keys anew.
    Kept is the digest of a random 256-bit secret, of which nothing can be learnt. It saves 14 µs a request.
    """

    def __init__(self, pepper: str) -> None:
        self._pepper = pepper
        self._proven: dict[bytes, KeyRecord] = {}

    def key_id(self, presented: Presented) -> str:
        """Raises Unauthenticated for what was never one of our keys."""
        proven = self._proven.get(presented.fingerprint)
        return presented.parsed().key_id if proven is None else proven.key_id

    def record(self, identity: IdentitySnapshot, presented: Presented) -> KeyRecord:
        """The record of the key in this snapshot. Raises Unauthenticated for a key that is unknown or revoked."""
        proven = self._proven.get(presented.fingerprint)
        if proven is not None and identity.keys.get(proven.key_id) is proven:
            return proven
        key = presented.parsed()
        record = prove(identity.keys.get(key.key_id), key, self._pepper)
        if len(self._proven) >= MOST_VERIFIED:
            self._proven.clear()
        self._proven[presented.fingerprint] = record
        return record
