"""What callers let us keep of their conversations, and what they say of answers. Each tenant's is in its own schema."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.ids import new_id


class StoredResponse(models.Model):
    """A response that a later request may follow, and all that the model was given for it.

    Both are JSON as it was sent, as bytes: PostgreSQL's own JSON cannot hold every text that JSON can. Keys and users
    are in another schema, so they are named rather than pointed at.
    """

    id = models.CharField(primary_key=True, max_length=64)
    api_key_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    items = models.BinaryField()
    response = models.BinaryField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id


class Feedback(models.Model):
    """What one person, or one key that belongs to nobody, says of the answer to one request.

    The request is in the ledger, and keys and users in another schema: they are named rather than pointed at.
    `author_id` is the user's id, or else the key's.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request_id = models.UUIDField()
    author_id = models.UUIDField()
    user_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    rating = models.SmallIntegerField(default=0)
    score = models.FloatField(null=True)
    regenerated = models.BooleanField(default=False)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=64), default=list)
    comment = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_id", "author_id"], name="one_feedback_of_an_author"),
            models.CheckConstraint(condition=models.Q(rating__in=[-1, 0, 1]), name="feedback_rating_is_known"),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__range=(0, 1)), name="feedback_score_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rating:+d} for {self.request_id}"
