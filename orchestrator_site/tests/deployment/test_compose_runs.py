"""Each service's very command line, run with what Compose would give it, until its own health check is content."""

import os
import socket
import subprocess
import sys
import urllib.request

import psycopg
import pytest
import redis

from common.ids import month_of, new_id
from orchestrator_site.embedded import binaries
from orchestrator_site.embedded.processes import wait_until
from orchestrator_site.embedded.testing import services_for_tests
from orchestrator_site.tests.deployment.compose_file import ROOT, read_services
from orchestrator_site.tests.deployment.container import PROGRAMS, Container, walls
from orchestrator_site.tests.deployment.test_compose_rules import SECRETS
from orchestrator_site.tests.own_database import own_database

PATH = f"{PROGRAMS}:{os.defpath}"
SERVICES = read_services({**SECRETS, "LOG_FORMAT": "console"})
# The tests have Valkey's server, not its client; this speaks for it.
VALKEY_CLI = """\
import os, sys, redis
host = sys.argv[sys.argv.index("-h") + 1]
client = redis.Redis(host=host, port=int(os.environ["TEST_PORT"]), password=os.environ["REDISCLI_AUTH"])
print("PONG" if client.ping() else "")
"""


@pytest.fixture(scope="module")
def addresses():
    with own_database("compose") as addresses:
        yield addresses


@pytest.fixture(scope="module")
def start(addresses, tmp_path_factory):
    """Starts a service of ours; the names of its neighbours become the tests' own addresses."""
    logs = tmp_path_factory.mktemp("logs")

    def start(name, command=None, **extra):
        given = {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url, **extra}
        service = SERVICES[name]
        assert given.keys() - {"PORT"} <= service.environment.keys()
        log = logs / f"{name}.log"
        return Container(command or service.command, {**service.environment, **given}, log, path=PATH)

    return start


@pytest.fixture(scope="module")
def migrated(start):
    """The one-shot service, at its end."""
    with start("migrate") as container:
        code = container.process.wait(120)
        assert code == 0, container.end_of_log()
    return container


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_the_walls_hold(tmp_path):
    if not walls():
        pytest.skip("this machine gives us no mounts of our own")
    with Container(["touch", str(ROOT / "var" / "written")], {}, tmp_path / "log", path=PATH) as container:
        assert container.process.wait(10) != 0
    assert "Read-only file system" in container.end_of_log()


def test_migrate_makes_the_tables_and_may_run_again(migrated, start, addresses):
    with psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT to_regclass('public.tenants_tenant') IS NOT NULL").fetchone() == (True,)
    with start("migrate") as again:
        assert again.process.wait(120) == 0, again.end_of_log()


def test_web_becomes_healthy_answers_and_leaves_cleanly(migrated, start):
    port = free_port()
    command = [str(port) if word == "8000" else word for word in SERVICES["web"].command]
    with start("web", command, PORT=str(port), DRAIN_SECONDS="0") as web:
        web.wait_healthy(SERVICES["web"].healthcheck)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5) as answer:
            assert answer.status == 200
        assert web.stop() == 0


# What a killed web process leaves behind.
ORPHAN = """
SET ROLE orchestrator_system;
INSERT INTO billing_process (id, kind, host, pid, started_at, heartbeat_at, watermark_at)
VALUES (%(id)s, 'web', 'test', 1, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour');
INSERT INTO billing_intent (request_id, attempt, month, tenant_id, provider, provider_scope, model, requested_model,
    stream, process_id, dispatched_at, estimated_input_tokens, estimated_cost_nano)
VALUES (%(id)s, 1, %(month)s, %(id)s, 'demo', 'platform', 'demo', 'demo', false, %(id)s, now(), 10, 20)
"""


@pytest.fixture
def outcome_of_orphan(migrated, addresses):
    """How an attempt of a process that died was settled; None while it is open."""
    request_id = new_id()
    with psycopg.ClientCursor(psycopg.connect(addresses.database_url, autocommit=True)) as cursor:
        cursor.execute(ORPHAN, {"id": request_id, "month": month_of(request_id)})

        def outcome():
            cursor.execute("SELECT outcome FROM billing_settlement WHERE request_id = %s", [request_id])
            return next(iter(cursor.fetchone() or ()), None)

        yield outcome
        cursor.connection.close()


def test_worker_and_beat_become_healthy_do_the_chores_and_leave_cleanly(start, outcome_of_orphan):
    assert outcome_of_orphan() is None
    with start("worker") as worker, start("beat") as beat:
        worker.wait_healthy(SERVICES["worker"].healthcheck)
        beat.wait_healthy(SERVICES["beat"].healthcheck)
        assert wait_until(lambda: outcome_of_orphan() == "killed", 30), beat.end_of_log() + worker.end_of_log()
        assert beat.stop() == 0
        assert worker.stop() == 0
    assert "Traceback" not in beat.log.read_text() + worker.log.read_text()


def test_redis_keeps_everything_and_lets_nobody_in_without_its_password(tmp_path):
    port, folder = free_port(), tmp_path / "redis"
    folder.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(binaries.find().valkey)
    client = tmp_path / "bin" / "valkey-cli"
    client.write_text(f"#!{sys.executable}\n{VALKEY_CLI}")
    client.chmod(0o755)
    service = SERVICES["redis"]
    shell, option, script = service.command
    script = script.replace("6379", str(port)).replace("/data", str(folder))
    environment = {**service.environment, "TEST_PORT": str(port)}
    # Its volume lies in /tmp here, so it has to do without walls.
    process = subprocess.Popen(
        [shell, option, script],
        env={**environment, "PATH": f"{tmp_path / 'bin'}:{os.defpath}"},
        stdout=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: listens(port), 10)
        checked = subprocess.run(
            service.healthcheck, env={**environment, "PATH": f"{tmp_path / 'bin'}:{os.defpath}"}, check=False
        )
        assert checked.returncode == 0
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        allowed = redis.Redis(port=port, password=SECRETS["REDIS_PASSWORD"], decode_responses=True)
        assert allowed.config_get("maxmemory-policy", "appendonly") == {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
        }
    finally:
        process.terminate()
        assert process.wait(20) == 0


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def superuser():
    """The tests' own PostgreSQL, entered as its superuser, with psql to run files."""
    postgres = services_for_tests().postgres
    environment = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.notes.port("postgres")),
        "PGUSER": "postgres",
        "PGPASSWORD": postgres.notes.password("postgres"),
        "PGDATABASE": "postgres",
        "ORCHESTRATOR_PASSWORD": SECRETS["POSTGRES_PASSWORD"],
        "PATH": f"{postgres.programs}:{os.defpath}",
    }

    def run(*words, **options):
        return subprocess.run([*words], env=environment, capture_output=True, text=True, check=False, **options)

    yield run
    run("psql", "-c", "DROP DATABASE IF EXISTS composeprobe WITH (FORCE)", "-c", "DROP ROLE IF EXISTS composeprobe")


def test_postgres_gets_a_login_role_that_row_level_security_binds(superuser):
    script = (ROOT / "deploy" / "postgres" / "10-login-role.sql").read_text().replace("orchestrator", "composeprobe")
    made = superuser("psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--no-password", "-f", "-", input=script)
    assert made.returncode == 0, made.stderr
    asked = superuser(
        *("psql", "-tAc"),
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'composeprobe'",
    )
    assert asked.stdout.strip() == "f|f|f|t"
    postgres = services_for_tests().postgres
    with psycopg.connect(
        host="127.0.0.1",
        port=postgres.notes.port("postgres"),
        user="composeprobe",
        dbname="composeprobe",
        password=SECRETS["POSTGRES_PASSWORD"],
    ) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,2]'::vector").fetchone() == (0.0,)
        # The migrations make the two roles that the platform works as, and enter them.
        connection.execute("CREATE ROLE composeprobe_app NOLOGIN")
        connection.execute("SET LOCAL ROLE composeprobe_app")
        connection.rollback()


def test_postgres_is_asked_for_its_health_as_it_is_set_up(superuser):
    health = SERVICES["postgres"].healthcheck
    assert superuser(*health).returncode == 0
    assert superuser(*health[:-1], "--port=1").returncode != 0
