"""Signing in to the pages, by e-mail and password. People are invited, they don't sign themselves up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks about this installation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """A person is one at every host: allauth's own key has the Host header in it, which whoever guesses chooses."""
        return str(credentials.get("email") or credentials.get("username") or "").strip().lower()
