"""The shape of an API key, as pure functions.

    orc_<key id, 16 characters>_<secret, 43><checksum, 6>      all base62 between the underscores

The key id is public and names the row. The secret holds 256 bits. The checksum is the CRC-32 of what stands before it,
so that a mistyped key is told from a revoked one without a lookup, and so that secret scanners can recognise a leak.
"""

import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

from common.errors import Unauthenticated

PREFIX: Final = "orc"
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
KEY_ID_LENGTH: Final = 16
SECRET_LENGTH: Final = 43
CHECKSUM_LENGTH: Final = 6
SHAPE: Final = re.compile(
    rf"{PREFIX}_([0-9A-Za-z]{{{KEY_ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A well-formed key; whether it is anyone's is for its digest to say."""

    key_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """What the caller sends. Shown once, when the key is made."""
        body = f"{PREFIX}_{self.key_id}_{self.secret}"
        return body + checksum(body)


def generate() -> ParsedKey:
    key_id = "".join(secrets.choice(ALPHABET) for _ in range(KEY_ID_LENGTH))
    return ParsedKey(key_id, base62(secrets.randbits(256), SECRET_LENGTH))


def parse(text: str) -> ParsedKey:
    """Raises Unauthenticated for anything that was never one of our keys."""
    matched = SHAPE.fullmatch(text)
    if matched is None or checksum(text[:-CHECKSUM_LENGTH]) != matched[3]:
        raise unknown_key()
    return ParsedKey(matched[1], matched[2])


def unknown_key() -> Unauthenticated:
    """The one answer to every key that is not, or is no longer, anyone's."""
    return Unauthenticated("Incorrect API key provided.")


def digest(secret: str, pepper: str) -> bytes:
    """What is stored: HMAC-SHA256 of the secret under the installation's pepper; 32 bytes."""
    return hmac.digest(pepper.encode(), secret.encode(), "sha256")


def matches(secret: str, stored: bytes, pepper: str) -> bool:
    """In time that does not depend on the secret."""
    return hmac.compare_digest(digest(secret, pepper), stored)


def checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, remainder = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[remainder])
    return "".join(reversed(digits))
