"""Where signed-in browsers are remembered: in PostgreSQL alone (docs/adr/0004-sessions.md)."""

import re
from typing import Any, Final

from django.contrib.sessions.backends import db

KEY: Final = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(db.SessionStore):
    """Django's, which would hand any text of a cookie to the database; what is no key is nobody's session here."""

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
