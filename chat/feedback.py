"""What people say of answers, each behind their tenant's door."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from billing.decisions.reading import find
from chat.models import Feedback
from common.errors import InvalidRequest, NotFound
from common.ids import earliest_id
from tenants.door import tenant_scope
from tenants.identity import TenantRef

RATINGS: Final = (-1, 0, 1)
MOST_TAGS: Final = 20
LONGEST_TAG: Final = 64
LONGEST_COMMENT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Opinion:
    """`rating` is -1, 0 or 1; `score` from 0 to 1; `regenerated`: whether the answer was asked for again.

    `user_id` is None for a key that belongs to nobody, `api_key_id` for who said it without a key.
    """

    id: UUID
    request_id: UUID
    user_id: UUID | None
    api_key_id: UUID | None
    rating: int
    score: float | None
    regenerated: bool
    tags: tuple[str, ...]
    comment: str
    created_at: datetime
    updated_at: datetime


def give_feedback(
    *,
    tenant: TenantRef,
    request_id: UUID,
    user_id: UUID | None,
    api_key_id: UUID | None,
    rating: int = 0,
    score: float | None = None,
    regenerated: bool = False,
    tags: Iterable[str] = (),
    comment: str = "",
) -> tuple[Opinion, bool]:
    """What is kept, and whether it is the author's first on this request: a second takes the place of the first.

    The author is the user, or else the key. Raises InvalidRequest, and NotFound for what is no request of the tenant's.
    """
    author = user_id or api_key_id
    if author is None:
        raise InvalidRequest("Feedback is somebody's: name the user or the key.", param="user_id")
    said: dict[str, Any] = {
        "rating": rating,
        "score": score,
        "regenerated": regenerated,
        "tags": list(tags),
        "comment": comment.strip(),
    }
    check_said(**said)
    if find(tenant, request_id, made_with=None) is None:
        raise NotFound("There is no such request.", param="request_id")
    with tenant_scope(tenant):
        row, is_first = Feedback.objects.update_or_create(
            request_id=request_id,
            author_id=author,
            defaults={**said, "user_id": user_id, "api_key_id": api_key_id},
        )
    return opinion_of(row), is_first


def check_said(*, rating: int, score: float | None, regenerated: bool, tags: list[str], comment: str) -> None:
    """Raises InvalidRequest naming the field."""
    if rating not in RATINGS:
        raise InvalidRequest("Use -1, 0 or 1, or up or down.", param="rating")
    if score is not None and not (math.isfinite(score) and 0 <= score <= 1):
        raise InvalidRequest("Use a number from 0 to 1.", param="score")
    if len(tags) > MOST_TAGS:
        raise InvalidRequest(f"Use at most {MOST_TAGS} tags.", param="tags")
    for index, tag in enumerate(tags):
        if not 1 <= len(tag) <= LONGEST_TAG:
            raise InvalidRequest(f"A tag has 1 to {LONGEST_TAG} characters.", param=f"tags[{index}]")
    if len(comment) > LONGEST_COMMENT:
        raise InvalidRequest(f"Use at most {LONGEST_COMMENT} characters.", param="comment")
    if not (rating or score is not None or regenerated or tags or comment):
        raise InvalidRequest("Say something: a rating, a score, tags, a comment, or regenerated.", param="rating")


def list_feedback(
    *, tenant: TenantRef, limit: int, after: UUID | None = None, author: UUID | None = None, **conditions: Any
) -> tuple[list[Opinion], bool]:
    """The newest first, and whether there are more.

    `conditions`: request_id, rating, regenerated, tag, since (a time). `author`: a user, or a key that belongs to
    nobody; None for everybody's.
    """
    wanted = dict(conditions)
    if "tag" in wanted:
        wanted["tags__contains"] = [wanted.pop("tag")]
    if "since" in wanted:
        # Ids are in the order of time.
        wanted["id__gte"] = earliest_id(wanted.pop("since"))
    if after is not None:
        wanted["id__lt"] = after
    if author is not None:
        wanted["author_id"] = author
    with tenant_scope(tenant):
        rows = list(Feedback.objects.filter(**wanted).order_by("-id")[: limit + 1])
    return [opinion_of(row) for row in rows[:limit]], len(rows) > limit


def opinion_of(row: Feedback) -> Opinion:
    return Opinion(
        id=row.id,
        request_id=row.request_id,
        user_id=row.user_id,
        api_key_id=row.api_key_id,
        rating=row.rating,
        score=row.score,
        regenerated=row.regenerated,
        tags=tuple(row.tags),
        comment=row.comment,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
