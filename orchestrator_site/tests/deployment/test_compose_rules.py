"""What docker-compose.yml promises: nothing runs as root, writes to its image or starts without its secrets."""

import dataclasses
import re

import pytest
import yaml

from orchestrator_site.settings.environment import Environment
from orchestrator_site.tests.deployment.compose_file import FILE, ROOT, MissingVariable, interpolated, read_services

SECRETS = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "API_KEY_PEPPER": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "POSTGRES_PASSWORD": "loginpassword",
    "POSTGRES_SUPERUSER_PASSWORD": "superpassword",
    "REDIS_PASSWORD": "redispassword",
}
SERVICES = read_services(SECRETS)
OURS = ("migrate", "web", "worker", "beat")


def seconds(text):
    return float(text.removesuffix("s"))


def test_every_part_of_the_platform_is_there():
    assert set(SERVICES) == {*OURS, "postgres", "redis"}


@pytest.mark.parametrize("name", SERVICES)
class TestEveryService:
    def test_runs_as_somebody_else_than_root_and_cannot_become_root(self, name):
        settings = SERVICES[name].settings
        uid, gid = settings["user"].split(":")
        assert int(uid) > 0
        assert int(gid) > 0
        assert settings["cap_drop"] == ["ALL"]
        assert settings["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in settings
        assert "cap_add" not in settings

    def test_cannot_write_to_its_image(self, name):
        settings = SERVICES[name].settings
        assert settings["read_only"] is True
        assert any(each.startswith("/tmp:") for each in settings["tmpfs"])

    def test_has_a_health_check_unless_it_ends(self, name):
        assert ("healthcheck" in SERVICES[name].settings) == (name != "migrate")

    def test_comes_back_after_a_crash_unless_it_ends(self, name):
        assert SERVICES[name].settings["restart"] == ("no" if name == "migrate" else "unless-stopped")

    def test_cannot_fill_the_host(self, name):
        settings = SERVICES[name].settings
        assert settings["pids_limit"] > 0
        assert settings["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_starts_without_its_secrets(secret):
    with pytest.raises(MissingVariable, match=secret):
        read_services({**SECRETS, secret: ""})


def test_no_secret_is_written_into_the_file():
    for name, service in read_services({key: f"<{key}>" for key in SECRETS}).items():
        for key, value in service.environment.items():
            if re.search("PASSWORD|SECRET|PEPPER|ENCRYPTION|_URL", key):
                assert re.search("<[A-Z_]+>", value), f"{name}: {key}"


def test_secrets_stay_off_command_lines():
    for service in SERVICES.values():
        health = service.settings.get("healthcheck", {"test": []})
        words = " ".join([*service.settings.get("command", []), *health["test"]])
        assert not [secret for secret in SECRETS.values() if secret in words]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_the_environment_reaches_the_platform(name):
    settings = yaml.safe_load(FILE.read_text())["services"][name]
    known = {field.name.upper() for field in dataclasses.fields(Environment)}
    # The port within the container is the file's own; PUBLISH says where it appears.
    assert settings["environment"].keys() == known - {"PORT"}


def test_what_is_not_set_is_left_to_its_default():
    assert "LOG_LEVEL" not in SERVICES["web"].environment
    assert read_services({**SECRETS, "LOG_LEVEL": "DEBUG"})["web"].environment["LOG_LEVEL"] == "DEBUG"


def test_the_environment_given_is_one_the_platform_accepts():
    environment = Environment.read(SERVICES["web"].environment)
    assert environment.orchestrator_env == "production"
    assert "loginpassword@postgres:5432/orchestrator" in environment.database_url


@pytest.mark.parametrize("name", ["web", "worker"])
def test_running_answers_may_end_before_the_container_is_killed(name):
    environment = Environment.read(SERVICES[name].environment)
    needed = environment.drain_seconds + environment.graceful_shutdown_seconds
    assert seconds(SERVICES[name].settings["stop_grace_period"]) >= needed + 10


def test_nothing_of_the_platform_starts_before_the_tables_are_there():
    for name in ("web", "worker", "beat"):
        needs = SERVICES[name].settings["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["postgres"] == needs["redis"] == {"condition": "service_healthy"}


def test_the_databases_are_reached_from_inside_alone():
    networks = yaml.safe_load(FILE.read_text())["networks"]
    assert networks["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name].settings["networks"] == ["inside"]
        assert "ports" not in SERVICES[name].settings


def test_the_web_process_is_published_on_loopback_until_told_otherwise():
    assert SERVICES["web"].settings["ports"] == ["127.0.0.1:8000:8000"]


def test_what_is_mounted_from_the_checkout_exists_and_is_not_written():
    for service in SERVICES.values():
        for volume in service.settings.get("volumes", []):
            source, _, *options = volume.split(":")
            if source.startswith("."):
                assert (ROOT / source).is_file()
                assert options == ["ro"]


def test_state_has_volumes_of_its_own():
    volumes = yaml.safe_load(FILE.read_text())["volumes"]
    # Since PostgreSQL 18 its images keep a folder for each major version below this one.
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"].settings["volumes"]
    assert SERVICES["redis"].settings["volumes"] == ["redis:/data"]
    assert set(volumes) == {"postgres", "redis"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("${A}", "1"), ("${B}", ""), ("${B:-two}", "two"), ("${A:-two}", "1"), ("$$A", "$A"), ("${A:?no}", "1")],
)
def test_variables_are_put_in_as_compose_does(text, expected):
    assert interpolated({"x": [text]}, {"A": "1"}) == {"x": [expected]}


def test_a_stray_dollar_is_told():
    with pytest.raises(ValueError, match=r"write \$\$"):
        interpolated("$A", {})


def test_every_variable_of_the_file_is_in_the_example_to_copy():
    named = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    example = (ROOT / ".env.example").read_text()
    assert {name for name in named if not re.search(rf"^#?{name}=", example, re.MULTILINE)} == set()
