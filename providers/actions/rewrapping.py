"""Moving secrets to a new key while they are in use."""

from typing import Protocol
from uuid import UUID

import msgspec

from common.crypto import SecretUnreadable
from providers.models import Credential
from providers.scope import Owner, in_owner_scope, keyring, secret_place

BATCH = 100


class Rewrapped(msgspec.Struct, frozen=True):
    """`last` is the row to go on after, None at the end; `unreadable` says which secrets did not open, and why."""

    moved: int
    last: UUID | None
    unreadable: tuple[str, ...] = ()


class RewrapBatch(Protocol):
    def __call__(self, *, owner: Owner, after: UUID | None, size: int) -> Rewrapped: ...


@in_owner_scope
def rewrap_batch(*, owner: Owner, after: UUID | None = None, size: int = BATCH) -> Rewrapped:
    """Moves up to `size` of the owner's secrets to the newest ENCRYPTION_KEY, in the order of their ids.

    The rows are locked for as long as that takes, so that a secret that is being replaced is not lost. What is in use
    does not change, so no version is raised. A secret that does not open stays as it is.
    """
    rows = Credential.objects.order_by("id").select_for_update()
    batch = list((rows if after is None else rows.filter(id__gt=after))[:size])
    moved, unreadable = 0, []
    for row in batch:
        try:
            moved += rewrap(row, owner)
        except SecretUnreadable as error:
            unreadable.append(f"{row.id}: {error}")
    return Rewrapped(moved, batch[-1].id if len(batch) == size else None, tuple(unreadable))


def rewrap(row: Credential, owner: Owner) -> bool:
    """Whether it had to be moved. Raises SecretUnreadable."""
    sealed = bytes(row.secret)
    if keyring().is_current(sealed):
        return False
    row.secret = keyring().rewrap(sealed, place=secret_place(owner, row.id))
    row.save(update_fields=["secret"])
    return True


# What `manage.py rewrap_secrets` goes through. A package to the left that seals secrets of its own adds to it.
batches: list[RewrapBatch] = [rewrap_batch]
