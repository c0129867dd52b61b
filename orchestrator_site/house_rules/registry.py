"""All rules, in the order they are told."""

from collections.abc import Iterable, Iterator

from orchestrator_site.house_rules import boundaries, comments, foreign_keys, names, pages, sizes, wording
from orchestrator_site.house_rules.source import Rule, Source, Violation

RULES: tuple[Rule, ...] = (
    sizes.short_file,
    sizes.short_functions,
    names.module_names,
    names.class_names,
    names.function_names,
    names.variable_names,
    boundaries.one_door,
    boundaries.edges_enqueue,
    boundaries.one_client,
    boundaries.no_print,
    foreign_keys.keys_along_the_line,
    comments.named_exemptions,
    wording.no_local_traces,
    pages.clean_templates,
    pages.clean_static,
)


def violations(sources: Iterable[Source]) -> Iterator[Violation]:
    for source in sources:
        for rule in RULES:
            yield from rule(source)
