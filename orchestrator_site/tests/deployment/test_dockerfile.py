"""What the Dockerfile promises, as far as reading it and running its commands can tell."""

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from orchestrator_site.tests.deployment.compose_file import ROOT, read_dockerfile, read_services
from orchestrator_site.tests.deployment.test_compose_rules import SECRETS

INSTRUCTIONS = read_dockerfile()
LAST_STAGE = max(place for place, each in enumerate(INSTRUCTIONS) if each.name == "FROM")
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}
NOT_SHIPPED = {"benchmarks"}


def final(name):
    return [each for each in INSTRUCTIONS[LAST_STAGE:] if each.name == name]


def copied():
    """Source → target of what comes from the checkout."""
    copies = [each.words for each in INSTRUCTIONS if each.name == "COPY" and not each.rest.startswith("--from")]
    return {source: words[-1] for words in copies for source in words[:-1]}


def test_what_is_copied_exists():
    missing = [source for source in copied() if not (ROOT / source).exists()]
    assert missing == []


def test_every_package_and_page_is_copied():
    assert PACKAGES - NOT_SHIPPED | {"templates", "static", "manage.py", "requirements.txt"} <= set(copied())


def test_the_build_context_holds_what_is_copied_and_no_more():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())
    excluded = [line for line in lines[1:] if not line.startswith("!")]
    assert any(fnmatch("gateway/tests", pattern) for pattern in excluded)


def test_it_ends_as_somebody_else_than_root():
    (user,) = final("USER")
    assert user.rest == read_services(SECRETS)["web"].settings["user"]
    assert final("CMD")[0] is INSTRUCTIONS[-1]


def test_the_installer_is_the_one_that_the_lock_names():
    (argument,) = [each.rest for each in INSTRUCTIONS if each.name == "ARG"]
    (locked,) = re.findall(r"^uv==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert argument == f"UV_VERSION={locked}"


def test_it_installs_by_hash_and_compiles_nothing():
    (install,) = [each.rest for each in INSTRUCTIONS if "requirements.txt" in each.rest and each.name == "RUN"]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


def test_both_stages_have_the_python_that_the_lock_was_made_for():
    images = {each.words[0] for each in INSTRUCTIONS if each.name == "FROM"}
    assert images == {"python:3.11-slim-bookworm"}


def test_it_holds_no_secret():
    for each in INSTRUCTIONS:
        assert not (each.name in ("ENV", "ARG") and re.search("SECRET|PASSWORD|_KEY|PEPPER|TOKEN", each.rest))


def test_its_own_commands_are_those_that_compose_runs():
    web = read_services(SECRETS)["web"]
    (command,), (health,) = final("CMD"), final("HEALTHCHECK")
    assert web.command[: len(command.words)] == command.words
    assert web.healthcheck == yaml.safe_load(health.rest.partition("CMD ")[2])


def test_pages_are_collected_without_any_secret():
    (build,) = [each.rest for each in INSTRUCTIONS if "collectstatic" in each.rest]
    command = build.split("&&")[-1].strip()
    ran = subprocess.run(
        ["sh", "-c", f"{command} --dry-run"],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:{os.defpath}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "static files copied" in ran.stdout


class TestHealthcheck:
    @pytest.fixture
    def check(self):
        def run(*words, port=1):
            command = [sys.executable, "deploy/healthcheck.py", *words]
            return subprocess.run(command, cwd=ROOT, env={"PORT": str(port)}, check=False, timeout=20).returncode

        return run

    def test_nobody_listening_is_unhealthy(self, check):
        assert check("answers", "/ready") == 1

    def test_a_file_that_is_missing_or_old_is_unhealthy(self, check, tmp_path):
        schedule = tmp_path / "schedule"
        assert check("fresh", str(schedule), "60") == 1
        (tmp_path / "schedule.db").touch()
        assert check("fresh", str(schedule), "60") == 0
        os.utime(tmp_path / "schedule.db", (1, 1))
        assert check("fresh", str(schedule), "60") == 1
