"""How long a connection to PostgreSQL may stay silent before the kernel gives it up.

libpq's own parameters (postgresql.org/docs/current/libpq-connect.html): seconds, but `tcp_user_timeout` milliseconds.
They find a server that is gone. One that is frozen while its kernel answers is found by deadlines above them alone.
"""

from typing import Any, Final

GIVEN_UP_WHEN_SILENT: Final[dict[str, Any]] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
