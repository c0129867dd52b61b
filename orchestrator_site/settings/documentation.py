"""The environment's fields as a file to copy and as a page to read."""

import dataclasses
import typing
from dataclasses import Field, dataclass
from typing import Any, Literal

from orchestrator_site.settings.environment import Environment

KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}

PREAMBLE = """\
# Configuration

Everything is set by environment variables; `.env.example` lists them to be copied. A variable that is missing or wrong
stops the start with a message that names it. `make run` sets up a local installation without any of them.

Seconds and bytes are plain numbers. Lists are separated by commas. Secrets are never logged.

This page is made by `python manage.py write_configuration_docs`.
"""


# What docker-compose.yml reads from .env for the services beside the platform.
COMPOSE = (
    ("POSTGRES_PASSWORD", "", "The platform's password at PostgreSQL, in letters and digits."),
    ("POSTGRES_SUPERUSER_PASSWORD", "", "PostgreSQL's own; used once, when its volume is made."),
    ("REDIS_PASSWORD", "", "The platform's password at Valkey, in letters and digits."),
    ("#PUBLISH", "127.0.0.1:8000", "Where the platform is published on the host."),
    ("#STOP_GRACE_PERIOD", "60s", "Longer than DRAIN_SECONDS and GRACEFUL_SHUTDOWN_SECONDS together."),
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable, as its field describes it; `default` None for a required one."""

    name: str
    about: str
    kind: str
    default: str | None
    secret: bool
    example: str


def variables() -> list[Variable]:
    hints = typing.get_type_hints(Environment)
    return [
        Variable(
            name=field.name.upper(),
            about=field.metadata["about"],
            kind=kind(hints[field.name]),
            default=default(field),
            secret=field.metadata["secret"],
            example=field.metadata["example"],
        )
        for field in dataclasses.fields(Environment)
    ]


def kind(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(f"`{word}`" for word in typing.get_args(hint))
    return "list" if typing.get_origin(hint) is tuple else KINDS[hint]


def default(field: "Field[Any]") -> str | None:
    if field.default is dataclasses.MISSING:
        return None
    return ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)


def env_example() -> str:
    """Required variables stand empty and open; the others are commented out with their defaults."""
    lines = ["# Copy to .env and fill in what is required. Made by `python manage.py write_configuration_docs`."]
    for each in variables():
        example = f" For example {each.example}" if each.example else ""
        lines += ["", *wrapped(f"{each.about}{example}")]
        lines.append(f"{each.name}=" if each.default is None else f"#{each.name}={each.default}")
    lines += ["", "# With docker compose, which makes DATABASE_URL and REDIS_URL itself:"]
    for name, value, about in COMPOSE:
        lines += ["", *wrapped(about), f"{name}={value}"]
    return "\n".join(lines) + "\n"


def wrapped(text: str, width: int = 100) -> list[str]:
    lines, line = [], "#"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > width and line != "#":
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def markdown() -> str:
    required = [each for each in variables() if each.default is None]
    optional = [each for each in variables() if each.default is not None]
    parts = [PREAMBLE, "## Required\n", *(entry(each) for each in required)]
    return "\n".join([*parts, "## Optional\n", *(entry(each) for each in optional)]).rstrip("\n") + "\n"


def entry(each: Variable) -> str:
    facts = [each.kind]
    if each.default is not None:
        facts.append(f"default `{each.default}`" if each.default else "default empty")
    if each.secret:
        facts.append("secret")
    example = f"\n\nExample: `{each.example}`" if each.example else ""
    return f"### {each.name}\n\n{each.about}{example}\n\n*{', '.join(facts)}*\n"
