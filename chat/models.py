"""What callers let us keep of their conversations. Each tenant's is in its own schema."""

from django.db import models


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
