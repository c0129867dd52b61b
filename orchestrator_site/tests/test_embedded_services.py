"""The embedded PostgreSQL and Valkey: started, reused, killed, recovered; in a state directory of their own."""

import os
import signal
import socket
import stat
import sys
import threading
import traceback
from pathlib import Path

import psycopg
import pytest
import redis

from orchestrator_site.embedded import __main__ as command
from orchestrator_site.embedded import binaries
from orchestrator_site.embedded.privileges import ServiceUser, unprivileged_user
from orchestrator_site.embedded.processes import wait_until
from orchestrator_site.embedded.services import EmbeddedServices


@pytest.fixture(scope="module")
def services(reachable_folder):
    services = EmbeddedServices(reachable_folder / "state")
    services.start()
    yield services
    services.stop()
    assert (services.postgres.pid(), services.valkey.pid()) == (None, None)


@pytest.fixture
def database(services):
    with psycopg.connect(services.start().database_url, autocommit=True) as connection:
        yield connection


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def test_starting_again_reuses_what_runs(services):
    before = services.postgres.pid(), services.valkey.pid()
    addresses = services.addresses()
    again = EmbeddedServices(services.state)
    assert again.start() == addresses
    assert (again.postgres.pid(), again.valkey.pid()) == before


def test_a_checkout_reached_by_another_path_finds_what_runs(services, tmp_path):
    """Else it would take the servers for dead, and start others on the same files."""
    pid = services.postgres.pid()
    (tmp_path / "other").symlink_to(services.state)
    again = EmbeddedServices(tmp_path / "other")
    assert again.start() == services.start()
    assert again.postgres.pid() == services.postgres.pid() == pid


def test_many_starters_at_once_end_with_one_pair(services):
    services.stop()
    seen = []
    starters = [
        threading.Thread(target=lambda: seen.append(EmbeddedServices(services.state).start())) for _ in range(4)
    ]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert seen == [services.addresses()] * 4


def test_the_login_role_is_bound_by_row_security_and_may_enter_roles_it_makes(database):
    superuser, bypasses = database.execute(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert (superuser, bypasses) == (False, False)
    try:
        database.execute("CREATE ROLE probe NOLOGIN")
        database.execute("SET ROLE probe")
        assert database.execute("SELECT current_user").fetchone() == ("probe",)
        database.execute("RESET ROLE")
        assert database.execute("SELECT pg_has_role('probe', 'USAGE')").fetchone() == (False,)
    finally:
        database.execute("RESET ROLE")
        database.execute("DROP ROLE IF EXISTS probe")


def test_a_database_of_the_login_role_has_vectors_and_speaks_unicode(database):
    assert database.execute("SELECT '[1,2]'::vector <-> '[1,2]'::vector").fetchone() == (0.0,)
    assert database.execute("SELECT upper('élan')").fetchone() == ("ÉLAN",)


def test_a_wrong_password_opens_nothing(services):
    secret = services.addresses()
    wrong_database = secret.database_url.replace(":", ":x", 2).replace("x//", "//")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong_database)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(secret.redis_url.replace("redis://:", "redis://:x")).ping()


def test_passwords_are_neither_shown_nor_readable_by_others(services):
    addresses = services.addresses()
    notes = services.state / "services.json"
    assert stat.S_IMODE(notes.stat().st_mode) == 0o600
    assert repr(addresses) == "Addresses()"
    for pid in (services.postgres.pid(), services.valkey.pid()):
        listed = Path(f"/proc/{pid}/cmdline").read_text()
        assert not any(services.postgres.notes.password(name) in listed for name in ("postgres", "valkey"))


def test_a_killed_postgres_recovers_what_was_committed(services, database):
    database.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
    database.execute("INSERT INTO kept VALUES (7)")
    first = services.postgres.pid()
    kill(first)
    addresses = services.start()
    assert services.postgres.pid() not in (first, None)
    with psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_killed_valkey_comes_back_with_what_it_had_written(services):
    client = redis.Redis.from_url(services.start().redis_url)
    client.set("kept", "7")
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    first = services.valkey.pid()
    assert client.execute_command("WAITAOF", 1, 0, 5000)[0] == 1
    kill(first)
    assert redis.Redis.from_url(services.start().redis_url).get("kept") == b"7"
    assert services.valkey.pid() not in (first, None)


def test_a_stale_pid_file_with_the_number_of_another_process_does_not_stop_a_start(services):
    services.postgres.stop()
    (services.postgres.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{services.postgres.cluster}\n")
    assert services.postgres.pid() is None
    services.start()
    assert services.postgres.pid() is not None


def test_a_port_taken_by_someone_else_is_left_to_them(services):
    services.stop()
    ports = services.postgres.notes.port("postgres"), services.valkey.notes.port("valkey")
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_server(("127.0.0.1", ports[1])):
        addresses = services.start()
    assert not any(f":{port}/" in url for port in ports for url in (addresses.database_url, addresses.redis_url))
    psycopg.connect(addresses.database_url).close()


def test_an_append_only_file_that_cannot_be_read_is_set_aside(services):
    redis.Redis.from_url(services.start().redis_url).set("lost", "1")
    services.valkey.stop()
    for file in services.valkey.folder.glob("appendonlydir/*.incr.aof"):
        file.write_bytes(b"no append only file\r\n")
    client = redis.Redis.from_url(services.start().redis_url)
    assert client.get("lost") is None
    assert list(services.valkey.folder.glob("appendonlydir.damaged.*"))


def test_a_state_of_another_user_than_root_runs_as_that_user(reachable_folder):
    """Run by root, the servers are the unprivileged user's; run by anybody else, their own."""
    pid = EmbeddedServices(reachable_folder / "state").postgres.pid()
    assert pid is not None
    owner = Path(f"/proc/{pid}").stat().st_uid
    assert owner != 0
    assert owner == (reachable_folder / "state" / "postgres").stat().st_uid


@pytest.mark.parametrize("link", ["valkey/valkey.conf", "postgres/cluster/postgresql.conf"])
def test_a_link_in_the_servers_folders_is_replaced_and_never_followed(services, reachable_folder, link):
    services.stop()
    precious = reachable_folder / "precious"
    precious.write_text("keep")
    owner = precious.stat().st_uid
    planted = services.state / link
    planted.unlink()
    planted.symlink_to(precious)
    services.start()
    assert (precious.read_text(), precious.stat().st_uid) == ("keep", owner)
    assert not planted.is_symlink()


def test_a_folder_that_is_a_link_is_refused(reachable_folder):
    state, elsewhere = reachable_folder / "linked", reachable_folder / "elsewhere"
    (state / "postgres").mkdir(parents=True)
    elsewhere.mkdir()
    (state / "postgres" / "cluster").symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError):
        ServiceUser().write(state, state / "postgres" / "cluster" / "postgresql.conf", "port = 1")
    assert list(elsewhere.iterdir()) == []


def test_what_root_writes_by_itself_lies_where_only_root_may(services, reachable_folder):
    precious = reachable_folder / "precious.log"
    precious.write_text("keep")
    (services.state / "postgres" / "programs.log").symlink_to(precious)
    (services.state / "postgres" / "superuser.password").symlink_to(precious)
    with services.postgres._password_file() as path:
        assert not path.is_symlink()
        services.postgres._run("pg_ctl", "status", "-D", str(services.postgres.cluster))
    assert precious.read_text() == "keep"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_somebody_who_is_not_root_runs_them_as_themselves(reachable_folder):
    user = unprivileged_user()
    if not user.can("-x", binaries.find().valkey):
        pytest.skip("the checkout is closed to others")
    home = reachable_folder / "home"
    home.mkdir()
    user.own(home)
    child = os.fork()
    if child == 0:
        os._exit(start_and_stop_as(user, home / "var"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def start_and_stop_as(user, state):
    """In a forked child, for good."""
    try:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        with EmbeddedServices(state, durable=False) as addresses:
            psycopg.connect(addresses.database_url).close()
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


def test_the_command_shows_and_ends_what_runs(reachable_folder, monkeypatch, capsys):
    state = reachable_folder / "commanded"
    monkeypatch.setattr(command, "services_for_tests", lambda: EmbeddedServices(state, durable=False))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["embedded", *words, "--test"])
        return command.main(), capsys.readouterr().out

    assert run("status") == (1, "PostgreSQL stopped\nValkey     stopped\n")
    code, shown = run("start")
    assert code == 0
    assert shown.count("running, process") == 2
    code, shown = run("env")
    assert code == 0
    assert [line.split("=")[0] for line in shown.splitlines()] == ["DATABASE_URL", "REDIS_URL"]
    assert run("stop") == (0, "")
    assert wait_until(lambda: run("status")[0] == 1, 5)
