"""What actions ask of a row before it is there: a name, a limit, and that nobody has its like already."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from common.errors import Conflict, InvalidRequest


def checked_name(name: str, whose: str, longest: int = 100) -> str:
    """The name without blanks around it. `whose` begins the refusal: "A team's name". Raises InvalidRequest."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= longest:
        raise InvalidRequest(f"{whose} has 1 to {longest} characters.", param="name")
    return stripped


def check_limit(requests_per_minute: int | None) -> None:
    """Raises InvalidRequest; None is no limit of its own."""
    if requests_per_minute is not None and requests_per_minute < 1:
        raise InvalidRequest("A limit is at least 1 request a minute.", param="requests_per_minute")


@contextmanager
def unique_or(message: str, *, param: str) -> Iterator[None]:
    """Raises Conflict where a write inside finds its like already there; the caller's transaction goes on.

    The database decides, so that of two at the same moment one is refused. Any other violation passes as it is.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise Conflict(message, param=param) from error
