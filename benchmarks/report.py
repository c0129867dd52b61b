"""What a run found, written down: JSON for machines, Markdown with tables for people, a chart beside the tables."""

import dataclasses
import json
import os
import platform as machine
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chart import chart
from benchmarks.processes import REPOSITORY
from benchmarks.series import Series

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Check:
    """A statement that a soak proves or refutes: `found` is what was counted."""

    statement: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Report:
    """`parameters` include the seed; `notes` are sentences."""

    name: str
    title: str
    parameters: Mapping[str, Any]
    series: Sequence[Series] = ()
    checks: Sequence[Check] = ()
    notes: Sequence[str] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def met(self) -> bool:
        return all(check.met for check in self.checks) and all(each.met is not False for each in self.series)


def write(report: Report, directory: Path = RESULTS) -> Path:
    """Writes `<date>-<commit>-<name>` as .json and .md, and .svg where there are figures; the path of the .md."""
    commit, changed = revision()
    directory.mkdir(parents=True, exist_ok=True)
    base = directory / f"{report.at:%Y-%m-%d}-{commit}-{report.name}"
    surroundings = {"at": report.at.isoformat(timespec="seconds"), "commit": commit, "uncommitted": changed, **host()}
    base.with_suffix(".json").write_text(json.dumps(as_json(report, surroundings), indent=1) + "\n")
    picture = chart(report.title, report.series)
    if picture:
        base.with_suffix(".svg").write_text(picture)
    base.with_suffix(".md").write_text(as_markdown(report, surroundings, f"{base.name}.svg" if picture else None))
    return base.with_suffix(".md")


def as_json(report: Report, surroundings: Mapping[str, Any]) -> dict[str, Any]:
    series = [{**dataclasses.asdict(each), "value": each.value, "met": each.met} for each in report.series]
    return {
        "name": report.name,
        **surroundings,
        "parameters": dict(report.parameters),
        "met": report.met,
        "series": series,
        "checks": [dataclasses.asdict(check) for check in report.checks],
        "notes": list(report.notes),
    }


def as_markdown(report: Report, surroundings: Mapping[str, Any], picture: str | None) -> str:
    facts = {**surroundings, **report.parameters}
    lines = [f"# {report.title}", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    if picture:
        lines += [f"![{report.title}]({picture})", ""]
    for group in dict.fromkeys(each.group for each in report.series):
        lines += [f"## {group}", "", *table([each for each in report.series if each.group == group]), ""]
    if report.checks:
        lines += ["| statement | found | |", "|---|---|---|"]
        lines += [f"| {check.statement} | {check.found} | {verdict(check.met)} |" for check in report.checks]
    lines += [f"\n{note}" for note in report.notes]
    return "\n".join(lines).rstrip() + "\n"


def table(series: Sequence[Series]) -> list[str]:
    lines = ["| | figure | median | lowest | highest | rounds | bar | |", "|---|---|--:|--:|--:|--:|--:|---|"]
    for each in series:
        bar = "" if each.bar is None else f"≤ {each.bar:g} {each.unit}"
        low, high = figure(min(each.rounds)), figure(max(each.rounds))
        value = f"{figure(each.value)} {each.unit}"
        cells = [each.subject, each.measure, value, low, high, str(len(each.rounds)), bar, verdict(each.met)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def verdict(met: bool | None) -> str:
    return "" if met is None else ("met" if met else "**missed**")


def revision() -> tuple[str, bool]:
    """The short commit (`nocommit` outside a repository), and whether tracked files differ from it."""
    commit = git("rev-parse", "--short", "HEAD") or "nocommit"
    return commit, bool(git("status", "--porcelain", "--untracked-files=no"))


def git(*arguments: str) -> str:
    try:
        ran = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def host() -> dict[str, Any]:
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores, {machine.system()} {machine.release()}",
        "python": machine.python_version(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return machine.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), machine.machine())
