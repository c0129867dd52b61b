"""Secrets move to a new key while they are in use; one that is put elsewhere opens nowhere."""

import io
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from common.crypto import Keyring, SecretUnreadable
from providers import scope
from providers.actions.credentials import change_credential, set_credential
from providers.actions.providers import delete_provider
from providers.actions.rewrapping import rewrap_batch
from providers.models import Credential
from providers.scope import owner_scope, secret_place
from providers.snapshots import load_tenant_catalogue
from providers.tests.test_actions import make, shown

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktMDEyMzQ1Njc="
USERS_OF_KEYS = ("providers.snapshots", "providers.actions.credentials", "providers.actions.rewrapping")


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


@pytest.fixture
def globex(make_tenant):
    return make_tenant("globex").tenant


@pytest.fixture
def keys(monkeypatch, settings):
    """Gives the process other keys, as a restart would."""
    old = settings.ENVIRONMENT.encryption_key[0]

    def use(*names):
        ring = Keyring([{"new": NEW, "old": old}[name] for name in names])
        for module in USERS_OF_KEYS:
            monkeypatch.setattr(f"{module}.keyring", lambda: ring)

    return use


def run(owner=None, **options) -> str:
    """For one tenant: what other tests have left behind is under keys of theirs."""
    out = io.StringIO()
    call_command("rewrap_secrets", stdout=out, tenant=owner and owner.slug, **options)
    return out.getvalue()


def authorization(owner, name="vendor/m1"):
    return shown(load_tenant_catalogue(owner).offers[name].target).get("authorization")


def add_credentials(owner, count):
    provider_id = make(owner)
    for number in range(1, count):
        set_credential(owner=owner, provider_id=provider_id, label=f"c{number}", secret=f"sk-{number}")
    return provider_id


def test_after_it_the_old_key_can_be_dropped(acme, globex, keys):
    make(acme)
    make(globex, secret="sk-globex")
    keys("new", "old")
    assert "Moved 1 secrets" in run(acme)
    assert "Moved 1 secrets" in run(globex)
    keys("new")
    assert authorization(acme) == "Bearer sk-secret-1"
    assert authorization(globex) == "Bearer sk-globex"


def test_it_goes_in_batches_and_says_how_far_it_is(acme, keys):
    add_credentials(acme, 7)
    keys("new", "old")
    assert f"{acme.slug}: 7 moved" in run(acme, batch=3)
    assert f"{acme.slug}: 0 moved" in run(acme, batch=3), "what has been moved is not moved again"


def test_one_that_was_broken_off_is_gone_on_with(acme, keys):
    add_credentials(acme, 5)
    keys("new", "old")
    first = rewrap_batch(owner=acme, size=2)
    assert (first.moved, first.unreadable) == (2, ())
    assert first.last is not None
    assert f"{acme.slug}: 3 moved" in run(acme, batch=2)


def test_a_secret_that_does_not_open_is_named_and_stops_no_other(acme, keys):
    add_credentials(acme, 3)
    with owner_scope(acme):
        row = Credential.objects.order_by("id")[0]
        Credential.objects.filter(id=row.id).update(secret=b"\x01" + b"x" * 60)
    keys("new", "old")
    with pytest.raises(CommandError, match=str(row.id)):
        run(acme)
    with owner_scope(acme):
        Credential.objects.filter(id=row.id).delete()
    assert f"{acme.slug}: 0 moved" in run(acme)


def test_a_secret_that_is_replaced_meanwhile_is_not_lost(acme, keys):
    provider_id = make(acme)
    keys("new", "old")
    rewrapping = threading.Thread(target=in_a_thread, args=(acme,))
    with owner_scope(acme):
        set_credential(owner=acme, provider_id=provider_id, secret="sk-replaced")
        rewrapping.start()
        wait_until_blocked()
    rewrapping.join(10)
    assert not rewrapping.is_alive()
    assert authorization(acme) == "Bearer sk-replaced"


def test_a_change_beside_the_secret_does_not_put_the_old_ciphertext_back(acme, keys):
    make(acme)
    with owner_scope(acme):
        row_id = Credential.objects.get().id
    keys("new", "old")
    changing = threading.Thread(target=in_a_thread, args=(acme, row_id))
    with owner_scope(acme):
        rewrap_batch(owner=acme)
        changing.start()
        wait_until_blocked()
    changing.join(10)
    keys("new")
    assert authorization(acme) == "Bearer sk-secret-1"
    with owner_scope(acme):
        assert Credential.objects.get().position == 5


def in_a_thread(owner, row_id=None):
    try:
        if row_id is None:
            rewrap_batch(owner=owner)
        else:
            change_credential(owner=owner, credential_id=row_id, position=5)
    finally:
        connection.close()


def wait_until_blocked():
    """Until another session waits for the rows that this one holds."""
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("where", ["another row", "another tenant", "the platform"])
def test_a_ciphertext_that_is_moved_opens_nowhere_else(acme, globex, where):
    add_credentials(acme, 2)
    make(globex)
    with owner_scope(acme):
        first, second = Credential.objects.order_by("id")
    with owner_scope(globex):
        theirs = Credential.objects.get()
    place = {
        "another row": secret_place(acme, second.id),
        "another tenant": secret_place(globex, theirs.id),
        "the platform": secret_place(None, first.id),
    }[where]
    assert scope.keyring().decrypt(bytes(first.secret), place=secret_place(acme, first.id)) == b"sk-secret-1"
    with pytest.raises(SecretUnreadable):
        scope.keyring().decrypt(bytes(first.secret), place=place)


def test_two_ciphertexts_that_are_swapped_open_neither(acme, caplog):
    add_credentials(acme, 2)
    with owner_scope(acme):
        first, second = Credential.objects.order_by("id")
        Credential.objects.filter(id=first.id).update(secret=bytes(second.secret))
        Credential.objects.filter(id=second.id).update(secret=bytes(first.secret))
    assert authorization(acme) is None
    assert caplog.text.count("credential unreadable") == 2


def test_every_owners_secrets_are_moved_the_platforms_too(acme, keys):
    make(acme)
    provider_id = make(None, name="rewrapped-platform")
    keys("new", "old")
    assert rewrap_batch(owner=None).moved >= 1
    run(acme)
    keys("old", "new")
    told = run()
    delete_provider(owner=None, provider_id=provider_id)
    assert "platform: " in told
    assert f"{acme.slug}: 1 moved" in told
    keys("old")
    assert authorization(acme) == "Bearer sk-secret-1"
