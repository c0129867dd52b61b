"""Celery as it is wired: every task belongs to a tenant or to the platform, and runs on a real worker."""

import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from orchestrator_site.celery import app
from tenants.celery_task import TenantMissing

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
WORKER = [
    *(sys.executable, "-m", "celery", "-A", "orchestrator_site", "worker"),
    *("-c", "1", "-l", "INFO", "--without-gossip", "--without-mingle"),
]


@pytest.fixture
def make_task():
    """Tasks of the test's own, forgotten afterwards."""
    made = []

    def make(function, **options):
        task = app.task(name=f"test.{uuid4().hex}", **options)(function)
        made.append(task.name)
        return app.tasks[task.name]

    yield make
    for name in made:
        app.tasks.pop(name)


def test_a_task_without_a_tenant_is_neither_enqueued_nor_run(make_task):
    def of_tenant(*, tenant_id):
        return tenant_id

    task = make_task(of_tenant)
    for refused in (task.delay, task.apply_async, task):
        with pytest.raises(TenantMissing):
            refused()
    with pytest.raises(TenantMissing):
        task.delay(tenant_id="acme")
    assert task(tenant_id=str(uuid4()))


def test_a_platform_task_takes_no_tenant(make_task):
    def of_platform():
        return "done"

    task = make_task(of_platform, platform=True)
    assert task() == "done"
    with pytest.raises(TenantMissing):
        task.delay(tenant_id=str(uuid4()))


def test_every_scheduled_task_exists_and_is_the_platforms():
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert getattr(app.tasks[entry["task"]], "platform", False)
        assert entry["options"]["expires"] == entry["schedule"]


def test_only_json_is_taken_and_nothing_is_lost_with_a_worker():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]


def test_a_worker_takes_what_is_enqueued(tmp_path):
    """Over the real broker, as the supervisor starts it."""
    log = tmp_path / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            WORKER,
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.worker", "LOG_LEVEL": "DEBUG"},
            stdout=output,
            stderr=output,
        )
        try:
            app.send_task("billing.tasks.create_partitions")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while "billing.tasks.create_partitions" not in log.read_text() or "succeeded" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()[-3000:]
                assert worker.poll() is None, log.read_text()[-3000:]
                time.sleep(0.2)
        finally:
            worker.terminate()
            worker.wait(30)
    assert settings.ENVIRONMENT.redis_url not in log.read_text()
