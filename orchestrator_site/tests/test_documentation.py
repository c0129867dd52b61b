"""README and docs name files, commands, variables and metrics that exist."""

import dataclasses
import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from prometheus_client import REGISTRY

from gateway import metrics
from orchestrator_site.house_rules.source import find_sources
from orchestrator_site.settings.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = [source.path for source in find_sources(ROOT)]
FILE = re.compile(r"`([\w./-]+\.(?:py|lua|sql|yml|toml|json))(?::[^`]*)?`")
FOLDER = re.compile(r"`([\w./-]+/)`")
COMMAND = re.compile(r"manage\.py (\w+)")
VARIABLE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")
METRIC = re.compile(r"`([a-z]+(?:_[a-z]+)+)(?:\{[^`]*\})?`")
# Of Docker, of the shell, of a template's form, or of a file that `make run` writes.
FOREIGN_WORDS = {"ORCHESTRATOR_PASSWORD", "BASE", "KEY", "API_KEY"}
MADE_LATER = {"var/", "var/demo.json"}
OWN_LINES = {"requirements.txt"}


def title(page):
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(params=PAGES, ids=title)
def page(request):
    return request.param


def exists(place):
    return any(f"/{path}".endswith(f"/{place}") for path in SOURCES)


def test_files_that_are_named_exist(page):
    named = set(FILE.findall(page.read_text())) - MADE_LATER
    assert {place for place in named if not exists(place)} == set()


def test_folders_that_are_named_exist(page):
    named = {place for place in FOLDER.findall(page.read_text()) if not place.startswith("/")} - MADE_LATER
    assert {place for place in named if not any(f"/{place}" in f"/{path}" for path in SOURCES)} == set()


def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_commands_that_are_named_exist(page):
    assert set(COMMAND.findall(page.read_text())) - set(get_commands()) == set()


def test_variables_that_are_named_exist(page):
    known = {field.name.upper() for field in dataclasses.fields(Environment)}
    assert set(VARIABLE.findall(page.read_text())) - known - FOREIGN_WORDS == set()


def test_metrics_to_watch_exist():
    assert metrics.REQUESTS
    watching = (ROOT / "docs" / "operations.md").read_text().partition("## Watching")[2].partition("## The ledger")[0]
    families = list(REGISTRY.collect())
    known = {family.name for family in families} | {sample.name for family in families for sample in family.samples}
    named = {name for name in METRIC.findall(watching) if name.endswith(("_seconds", "_total", "_rows", "_usd"))}
    assert named
    assert {name for name in named if name not in known and name.removesuffix("_total") not in known} == set()
