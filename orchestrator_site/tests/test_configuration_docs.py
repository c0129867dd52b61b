"""The configuration is documented as it is."""

import pytest
from django.core.management import call_command

from orchestrator_site.settings.documentation import env_example, variables
from orchestrator_site.settings.environment import ConfigurationError, Environment
from orchestrator_site.settings.mail import mail

REQUIRED = {
    "DATABASE_URL": "postgresql://u@h/db",
    "REDIS_URL": "redis://h/0",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz",
    "API_KEY_PEPPER": "0123456789-abcdefghijklmnopqrstuvwxyz",
    "ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}


def test_the_committed_files_are_current():
    call_command("write_configuration_docs", "--check")


def test_the_example_holds_every_variable_and_no_secret_of_its_own():
    lines = env_example().splitlines()
    for each in variables():
        assert f"{each.name}=" in lines or f"#{each.name}={each.default}" in lines
        assert not each.secret or not each.default


def test_the_example_filled_in_is_a_configuration():
    given = dict(
        line.lstrip("#").split("=", 1)
        for line in env_example().splitlines()
        if not line.startswith("# ") and "=" in line
    )
    assert Environment.read({**given, **REQUIRED}) == Environment.read(REQUIRED)


def test_mail_settings_come_from_a_url():
    settings = mail("smtp+tls://us%40er:pass%3Aword@mail.example.com")
    assert settings["EMAIL_HOST_USER"] == "us@er"
    assert settings["EMAIL_HOST_PASSWORD"] == "pass:word"
    assert settings["EMAIL_PORT"] == 587
    assert settings["EMAIL_USE_TLS"] is True
    assert mail("smtps://mail.example.com:4650")["EMAIL_PORT"] == 4650
    assert "console" in mail("")["EMAIL_BACKEND"]


def test_a_mail_url_that_is_none_is_refused_without_repeating_it():
    with pytest.raises(ConfigurationError) as caught:
        mail("imap://user:hidden@mail.example.com")
    assert "hidden" not in str(caught.value)
