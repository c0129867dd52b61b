"""What the actions share: finding a row, removing it, and saving one only when it is valid."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from common.errors import InvalidRequest, NotFound
from tenants.actions.rows import unique_or

Row = TypeVar("Row", bound=Model)


def find(model: type[Row], row_id: UUID) -> Row:
    """Raises NotFound."""
    row = model._default_manager.filter(pk=row_id).first()
    if row is None:
        raise NotFound(f"There is no such {model._meta.verbose_name}.")
    return row


def remove(model: type[Row], row_id: UUID) -> None:
    """With the rows that hang on it. Raises NotFound."""
    find(model, row_id).delete()


def assign(row: Model, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the values that are new to the row."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return tuple(changed)


def save_valid(row: Model, *, unique: str = "name") -> None:
    """Raises InvalidRequest naming the field, or Conflict where another row has the same `unique` already."""
    check_valid(row)
    with unique_or(f"There is another {row._meta.verbose_name} of this {unique} already.", param=unique):
        row.save()


def check_valid(row: Model) -> None:
    """Raises InvalidRequest naming the field."""
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as refused:
        field, faults = next(iter(refused.error_dict.items()))
        param = None if field == NON_FIELD_ERRORS else field
        raise InvalidRequest(" ".join(faults[0].messages), param=param) from None
