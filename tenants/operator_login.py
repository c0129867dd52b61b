"""How operators sign in: with Django's form, and with the limits that tenants' pages have."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.admin.forms import AdminAuthenticationForm


class OperatorLoginForm(AdminAuthenticationForm):
    """Failed attempts are counted for an address and for an account (allauth's `login_failed`), in Redis.

    While Redis is away nobody signs in here: what cannot be counted is not tried.
    """

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            self.user_cache = get_adapter().authenticate(self.request, email=email, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
