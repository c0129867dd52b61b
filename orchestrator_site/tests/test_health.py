"""Readiness and health: bounded in time, sparing with the parts, and silent about secrets."""

import asyncio
import tomllib
from datetime import UTC, datetime

import pytest
from django.conf import settings

import orchestrator_site
from common.errors import Unavailable
from orchestrator_site import draining
from orchestrator_site.commit import commit
from orchestrator_site.health.checks import Checkup, NotYet
from orchestrator_site.health.endpoints import HealthEndpoints
from orchestrator_site.tests.asgi_caller import ask
from providers.health import ProviderHealth


async def fine():
    pass


async def hangs():
    await asyncio.Event().wait()


async def leaks():
    raise OSError("could not connect to postgresql://user:hidden@10.0.0.1/db")


async def unavailable():
    raise Unavailable("The counters cannot be reached.", code="redis_unavailable")


async def behind():
    raise NotYet("migrations are missing")


def endpoints(**checks):
    checkup = Checkup(checks, deadline=0.05)
    return HealthEndpoints(settings.ENVIRONMENT, lambda: checkup, failing_provider)


async def failing_provider():
    return {"demo": ProviderHealth("failing", 3.0, datetime(2026, 11, 21, tzinfo=UTC), "timeout")}


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (hangs, "no answer within 0.05 s"),
        (leaks, "does not answer"),
        (unavailable, "redis_unavailable"),
        (behind, "migrations are missing"),
    ],
)
async def test_a_part_that_does_not_work_is_named_with_a_reason_that_tells_no_secret(check, reason):
    application = endpoints(good=fine, bad=check)
    ready = await ask(application, "/ready")
    assert ready.status == 503
    assert ready.json() == {"status": "not ready", "reasons": [f"bad: {reason}"]}
    health = await ask(application, "/health")
    assert health.status == 503
    assert health.json()["status"] == "degraded"
    assert health.json()["parts"]["bad"]["reason"] == reason
    assert health.json()["parts"]["good"]["status"] == "ok"
    assert b"hidden" not in health.body


async def test_all_parts_working_is_ready_and_healthy():
    application = endpoints(good=fine)
    assert (await ask(application, "/ready")).json() == {"status": "ready"}
    assert (await ask(application, "/health")).json()["status"] == "ok"


async def test_a_provider_that_fails_is_shown_and_takes_nobody_away():
    application = endpoints(good=fine)
    health = await ask(application, "/health")
    assert (health.status, health.json()["status"]) == (200, "ok")
    shown = {"status": "failing", "latency_ms": 3.0, "checked_at": "2026-11-21T00:00:00Z", "error": "timeout"}
    assert health.json()["providers"] == {"demo": shown}
    assert (await ask(application, "/ready")).status == 200


async def test_many_who_ask_at_once_are_one_question():
    asked = 0

    async def count():
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    application = endpoints(part=count)
    answers = await asyncio.gather(*(ask(application, "/ready") for _ in range(50)))
    assert {each.status for each in answers} == {200}
    assert asked == 1


async def test_who_gives_up_takes_nobody_along():
    release = asyncio.Event()

    async def slow():
        await release.wait()

    checkup = Checkup({"part": slow}, deadline=5)
    first = asyncio.create_task(checkup.parts())
    second = asyncio.create_task(checkup.parts())
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    (part,) = await asyncio.wait_for(second, 5)
    assert part.works


async def test_a_process_that_is_about_to_stop_is_not_ready_but_alive(monkeypatch):
    application = endpoints(good=fine)
    assert (await ask(application, "/ready")).status == 200
    monkeypatch.setattr(draining._draining, "is_set", lambda: True)
    ready = await ask(application, "/ready")
    assert ready.status == 503
    assert ready.json()["reasons"] == ["draining"]
    assert (await ask(application, "/live")).status == 200
    assert (await ask(application, "/health")).json()["draining"] is True


async def test_only_reading_is_allowed():
    answered = await ask(endpoints(), "/live", method="POST")
    assert answered.status == 405
    assert answered.headers["allow"] == "GET, HEAD"


async def test_info_says_what_runs_and_no_secret():
    info = await ask(endpoints(), "/info")
    assert info.json().keys() == {"name", "version", "commit", "environment", "uptime_seconds", "feature_flags"}
    secrets = (settings.ENVIRONMENT.secret_key, settings.ENVIRONMENT.api_key_pepper, settings.ENVIRONMENT.database_url)
    assert not any(secret in info.body.decode() for secret in secrets)


def test_the_commit_is_read_from_loose_and_packed_references(tmp_path):
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n")
    assert commit.__wrapped__(tmp_path) == "b" * 40
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    assert commit.__wrapped__(tmp_path) == "a" * 40
    (git / "HEAD").write_text("c" * 40)
    assert commit.__wrapped__(tmp_path) == "c" * 40
    assert commit.__wrapped__(tmp_path / "elsewhere") is None


def test_the_version_is_the_packages():
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert project["version"] == orchestrator_site.__version__
