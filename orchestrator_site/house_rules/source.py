"""One file as the rules see it, and what they say about it."""

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

READ = {".py", ".html", ".css", ".js", ".lua", ".sql", ".md", ".toml", ".yml", ".yaml", ".json", ".in", ".txt", ".sh"}
READ_BY_NAME = {"Makefile", "Dockerfile", ".dockerignore", ".env.example", ".gitignore", "run"}
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "var", "vendor"}
HIDDEN_BUT_READ = {".ci"}


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule and where; `line` counts from 1."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, and its syntax tree when it is Python. `path` is relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module | None

    @property
    def place(self) -> PurePosixPath:
        return PurePosixPath(self.path)

    @property
    def package(self) -> str:
        return self.place.parts[0]

    @property
    def is_test(self) -> bool:
        return "tests" in self.place.parts or self.place.name == "conftest.py"

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.place.parts

    def within(self, *places: str) -> bool:
        """Whether the file is one of `places` or below one of them."""
        return any(self.place.is_relative_to(place) for place in places)

    def nodes(self) -> Iterator[ast.AST]:
        return iter(()) if self.tree is None else ast.walk(self.tree)

    def breaks(self, line: int, message: str) -> Violation:
        return Violation(self.path, line, message)


Rule = Callable[[Source], Iterator[Violation]]


def source_of(path: str, text: str) -> Source:
    """Raises SyntaxError for Python that is none."""
    return Source(path, text, ast.parse(text, path) if path.endswith(".py") else None)


def find_sources(root: Path) -> Iterator[Source]:
    """Every file of the checkout that people write, in order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if is_read(name))
        for name in sorted(names):
            file = Path(folder) / name
            if file.suffix in READ or name in READ_BY_NAME:
                yield source_of(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))


def is_read(folder: str) -> bool:
    return folder not in SKIPPED_FOLDERS and (not folder.startswith(".") or folder in HIDDEN_BUT_READ)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; what is neither is left out: `f().b` gives `b`."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return node.id if isinstance(node, ast.Name) else ""
