"""Lines as an operator's collector gets them: one JSON object each, whoever wrote it."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import logging, uuid, warnings
import structlog
from orchestrator_site.logs import context
from orchestrator_site.logs.configuration import configure

configure({"level": %(level)r, "format": %(format)r})
context.begin("request-1")
context.bind_tenant(uuid.UUID(int=7))
structlog.get_logger("ours").info("hello", password="hidden-1", n=1)
logging.getLogger("theirs").warning("said %%s", "sk-hidden-22222222", extra={"token": "hidden-3"})
logging.getLogger("django.request").warning("quiet")
structlog.get_logger("ours").debug("too small")
try:
    raise ValueError("postgresql://u:hidden-4@h/db")
except ValueError:
    logging.getLogger("theirs").exception("failed")
    structlog.get_logger("ours").exception("failed too")
"""


def lines(level="INFO", line_format="json"):
    script = SCRIPT % {"level": level, "format": line_format}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == ""
    return ran.stderr


def test_every_line_is_json_with_the_request_and_the_tenant():
    said = [json.loads(line) for line in lines().splitlines()]
    assert [each["message"] for each in said] == ["hello", "said [redacted]", "failed", "failed too"]
    assert [each["logger"] for each in said] == ["ours", "theirs", "theirs", "ours"]
    assert {each["request_id"] for each in said} == {"request-1"}
    assert {each["tenant_id"] for each in said} == {"00000000-0000-0000-0000-000000000007"}
    assert said[0]["n"] == 1
    assert said[0]["level"] == "info"
    assert "ValueError" in said[2]["exception"]
    assert "ValueError" in said[3]["exception"]


def test_no_secret_is_in_any_of_them():
    assert "hidden" not in lines()
    assert "hidden" not in lines(line_format="console")


def test_the_level_counts_for_all():
    assert "too small" in lines(level="DEBUG")
    assert "hello" not in lines(level="WARNING")
    assert "said" in lines(level="WARNING")
