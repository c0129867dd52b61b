"""When keys were last used, gathered in memory and written now and then: never on the way of a request."""

from datetime import datetime
from threading import Lock
from typing import Final
from uuid import UUID

from django.db import connection

from tenants.door import in_platform_scope

MOST_KEYS: Final = 50_000

WRITE: Final = """
    UPDATE public.tenants_apikey AS key SET last_used_at = used.at
    FROM unnest(%s::uuid[], %s::timestamptz[]) AS used (id, at)
    WHERE key.id = used.id AND (key.last_used_at IS NULL OR key.last_used_at < used.at)
"""


class KeyUse:
    """`note` is cheap and never waits; a process calls `flush` once a minute and at its end."""

    def __init__(self) -> None:
        self._used: dict[UUID, datetime] = {}
        self._lock = Lock()

    def note(self, key_id: UUID, at: datetime) -> None:
        """Forgets keys beyond MOST_KEYS between two flushes rather than grow."""
        if key_id in self._used or len(self._used) < MOST_KEYS:
            self._used[key_id] = at

    def flush(self) -> int:
        """Writes what was noted, in one statement; returns how many keys. What could not be written is kept."""
        with self._lock:
            noted, self._used = self._used, {}
            try:
                write(noted)
            except Exception:
                self._used = {**noted, **self._used}
                raise
        return len(noted)


@in_platform_scope
def write(noted: dict[UUID, datetime]) -> None:
    if noted:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [list(noted), list(noted.values())])
