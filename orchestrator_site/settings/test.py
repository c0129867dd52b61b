"""Tests: the web overlay with cheap passwords and mail in memory."""

from orchestrator_site.settings.web import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
