"""A request that is to be done once, and what it was answered."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.errors import Conflict, InvalidRequest

HEADER: Final = "idempotency-key"
REPLAYED: Final = "idempotent-replayed"
ORIGINAL: Final = "x-orchestrator-original-request-id"

KEY: Final = re.compile(rb"[\x21-\x7e]{1,255}")
BOUNDARY: Final = re.compile(rb'multipart/[^;]+;.*boundary="?([^";]{1,70})', re.IGNORECASE)

# What another request in other circumstances may well be answered differently: it is done again.
OF_THE_MOMENT: Final = frozenset({401, 402, 403, 408, 409, 421, 425, 429})
MOST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Claim:
    """`id` stands for the key of one holder of one tenant, `digest` for what is asked; `request_id` asks."""

    id: UUID
    digest: bytes
    request_id: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. `body` is None where it was too large to be kept, or says that it must not be."""

    request_id: UUID
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def claim_of(
    key: bytes, *, tenant_id: UUID, key_id: UUID, asked: tuple[bytes, ...], content_type: bytes, request_id: UUID
) -> Claim:
    """`asked` is method, address and body. Of another API key, of the same tenant or not, it is another claim.

    Raises InvalidRequest naming the header.
    """
    if not KEY.fullmatch(key):
        raise InvalidRequest(f"The header {HEADER} is 1 to 255 visible ASCII characters.", param=HEADER)
    named = hashlib.sha256(tenant_id.bytes + key_id.bytes + key)
    return Claim(UUID(bytes=named.digest()[:16]), digest_of(asked, content_type), request_id)


def digest_of(asked: tuple[bytes, ...], content_type: bytes) -> bytes:
    """Clients draw the boundary of a form anew for each try: it is left out."""
    boundary = BOUNDARY.match(content_type)
    digest = hashlib.sha256()
    for part in asked:
        said = part.replace(boundary[1], b"") if boundary else part
        digest.update(b"%d:" % len(said))
        digest.update(said)
    return digest.digest()


def is_final(status: int) -> bool:
    """Whether a request with this answer is done. A failure is not, nor a refusal that rests on the moment."""
    return status < 500 and status not in OF_THE_MOMENT


def reused() -> Conflict:
    return Conflict(
        f"This {HEADER} was used for another request; use a new one.", param=HEADER, code="idempotency_key_reused"
    )


def still_running(seconds: float = 0) -> Conflict:
    """For who has waited long enough for another's end."""
    return Conflict(
        f"A request with this {HEADER} is still being answered.",
        param=HEADER,
        code="idempotency_key_in_progress",
        retry_after=1,
    )


def not_kept(answer: Kept) -> Conflict:
    """For an answer that was given and is not to be had again."""
    return Conflict(
        f"The request with this {HEADER} was answered as {answer.request_id}, but its answer was not kept.",
        param=HEADER,
        code="idempotent_answer_not_kept",
    )
