"""manage.py create_operator."""

import io
import uuid

import pytest
from django.core.management import CommandError, call_command

from tenants.door import platform_scope
from tenants.models import User

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "plums under a green moon"


def create(email, password, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    call_command("create_operator", email, "--password-stdin", stdout=io.StringIO())


def test_an_operator_can_sign_in(monkeypatch):
    email = f"{uuid.uuid4().hex}@example.com"
    create(email, PASSWORD, monkeypatch)
    with platform_scope():
        made = User.objects.get(email=email)
    assert made.is_staff
    assert made.check_password(PASSWORD)


def test_a_weak_password_is_refused(monkeypatch):
    email = f"{uuid.uuid4().hex}@example.com"
    with pytest.raises(CommandError, match="password"):
        create(email, "1234", monkeypatch)
    with platform_scope():
        assert not User.objects.filter(email=email).exists()


def test_there_is_one_account_for_an_address(monkeypatch):
    email = f"{uuid.uuid4().hex}@example.com"
    create(email, PASSWORD, monkeypatch)
    with pytest.raises(CommandError, match="email"):
        create(email.upper(), PASSWORD, monkeypatch)
