"""What the actions share: finding a row, and saving one only when it is valid."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from common.errors import Conflict, InvalidRequest, NotFound

Row = TypeVar("Row", bound=Model)


def find(model: type[Row], row_id: UUID) -> Row:
    """Raises NotFound."""
    row = model._default_manager.filter(pk=row_id).first()
    if row is None:
        raise NotFound(f"There is no such {model._meta.verbose_name}.")
    return row


def assign(row: Model, values: Mapping[str, Any]) -> bool:
    """Whether any of the values is new to the row."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def save_valid(row: Model) -> None:
    """Raises InvalidRequest, or Conflict where another row has the name already, each naming the field."""
    try:
        row.full_clean()
    except ValidationError as refused:
        raise refusal(refused) from None
    row.save()


def refusal(refused: ValidationError) -> InvalidRequest | Conflict:
    field, faults = next(iter(refused.error_dict.items()))
    param = None if field == NON_FIELD_ERRORS else field
    message = " ".join(faults[0].messages)
    if faults[0].code in ("unique", "unique_together"):
        return Conflict(message, param=param)
    return InvalidRequest(message, param=param)
