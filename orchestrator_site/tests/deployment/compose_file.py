"""docker-compose.yml as Compose would read it: anchors merged, variables put in.

Interpolation: docs.docker.com/reference/compose-file/interpolation. Only the forms that the file uses are known:
`${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<form>[-?])(?P<rest>[^}]*))?\}|(?P<wrong>.?))")


class MissingVariable(Exception):
    """A variable without which Compose does not start; says what the file says."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, ready to run."""

    name: str
    settings: dict[str, Any]
    environment: dict[str, str]

    @property
    def command(self) -> list[str]:
        return [str(word) for word in self.settings["command"]]

    @property
    def healthcheck(self) -> list[str]:
        """What Docker would execute within the container."""
        kind, *words = self.settings["healthcheck"]["test"]
        return ["sh", "-c", words[0]] if kind == "CMD-SHELL" else [str(word) for word in words]


def read_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Raises MissingVariable, ValueError for a form of variable that is not known here."""
    read = interpolated(yaml.safe_load(FILE.read_text()), variables)
    return {name: service_of(name, settings, variables) for name, settings in read["services"].items()}


def service_of(name: str, settings: dict[str, Any], variables: Mapping[str, str]) -> Service:
    """A variable without a value is the host's, and absent when the host has none."""
    given = {key: variables.get(key) if value is None else value for key, value in settings["environment"].items()}
    return Service(name, settings, {key: str(value) for key, value in given.items() if value is not None})


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: interpolated(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: replacement(match, variables), value)
    return value


def replacement(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    if match["name"] is None:
        raise ValueError(f"{match.group()!r} in {match.string!r}: write $$ or ${{NAME}}")
    value = variables.get(match["name"], "")
    if value or match["form"] is None:
        return value
    if match["form"] == "?":
        raise MissingVariable(match["rest"])
    return match["rest"]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the Dockerfile, continued lines joined."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Of an exec form or of plain words."""
        if self.rest.startswith("["):
            return [str(word) for word in yaml.safe_load(self.rest)]
        return shlex.split(self.rest)


def read_dockerfile() -> list[Instruction]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "deploy" / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]
