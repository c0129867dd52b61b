"""A check is switched off for one named reason, not altogether."""

import io
import re
import tokenize
from collections.abc import Iterator

from orchestrator_site.house_rules.source import Source, Violation

BARE = (
    (re.compile(r"#\s*type:\s*ignore(?!\[[a-z0-9-]+)"), "`type: ignore` needs its code: [arg-type]"),
    (re.compile(r"#\s*noqa(?!: ?[A-Z]+[0-9]+)", re.IGNORECASE), "`noqa` needs its code: S105"),
    (re.compile(r"#\s*(mypy:\s*ignore-errors|ruff:\s*noqa(?!: ?[A-Z]+[0-9]+))"), "a whole file is never exempt"),
)


def named_exemptions(source: Source) -> Iterator[Violation]:
    if source.tree is None:
        return
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            for pattern, message in BARE:
                if pattern.search(token.string):
                    yield source.breaks(token.start[0], message)
