"""Signing in to the pages, by e-mail and password. People are invited, they don't sign themselves up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks about this installation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
