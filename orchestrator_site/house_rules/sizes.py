"""Files and functions stay small enough to be read in one go."""

import ast
from collections.abc import Iterable, Iterator
from statistics import median, quantiles

from orchestrator_site.house_rules.source import Source, Violation

FILE_LINES = 400
FUNCTION_LINES = 50
COUNTED = {".py", ".html", ".css", ".js", ".lua"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def short_file(source: Source) -> Iterator[Violation]:
    lines = source.text.count("\n") + 1
    if source.place.suffix in COUNTED and not source.is_migration and lines > FILE_LINES:
        yield source.breaks(FILE_LINES, f"{lines} lines; a file has at most {FILE_LINES}")


def short_functions(source: Source) -> Iterator[Violation]:
    for function in functions(source):
        if length(function) > FUNCTION_LINES:
            message = f"{function.name} has {length(function)} lines; a function has at most {FUNCTION_LINES}"
            yield source.breaks(function.lineno, message)


def functions(source: Source) -> Iterator[Function]:
    if not source.is_migration:
        yield from (node for node in source.nodes() if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, docstring included, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def summary(sources: Iterable[Source]) -> str:
    """How large the product's own functions are, tests left out."""
    lengths = [length(each) for source in sources if not source.is_test for each in functions(source)]
    if len(lengths) < 2:
        return "too few functions to speak of"
    return f"{len(lengths)} functions, median {median(lengths):.0f} lines, p90 {quantiles(lengths, n=10)[-1]:.0f}"
