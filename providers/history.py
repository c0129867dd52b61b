"""The history of an owner's configuration: each change a row, written with the change itself or not at all.

Of each owner the newest MOST_KEPT stay.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from providers.models import ConfigChange
from providers.scope import Owner, in_owner_scope
from providers.signals import Change

MOST_KEPT: Final = 1000

_acting: ContextVar[str] = ContextVar("changes_configuration", default="")


def act_as(*, user_id: UUID | None, key_id: UUID) -> None:
    """Whoever the changes of this request are made by, until `act_as_nobody`."""
    _acting.set(f"key:{key_id}" if user_id is None else f"user:{user_id}")


def act_as_nobody(**signalled: Any) -> None:
    """A receiver of `request_finished`."""
    _acting.set("")


def record(*, owner: Owner, changes: Sequence[Change], **signalled: Any) -> None:
    """A receiver of `config_changed`: in the transaction of the change, which fails with it."""
    by = _acting.get()
    ConfigChange.objects.bulk_create(
        ConfigChange(kind=each.kind, name=each.name, action=each.action, fields=list(each.fields), by=by)
        for each in changes
    )
    if oldest := ConfigChange.objects.order_by("-id").values_list("id", flat=True)[MOST_KEPT:][:1]:
        ConfigChange.objects.filter(id__lte=oldest[0]).delete()


@in_owner_scope
def history_document(*, owner: Owner) -> list[dict[str, Any]]:
    """The newest first."""
    return [
        {
            "at": row.at.isoformat(timespec="seconds"),
            "kind": row.kind,
            "name": row.name,
            "action": row.action,
            "fields": row.fields,
            "by": row.by or None,
        }
        for row in ConfigChange.objects.order_by("-id")
    ]
