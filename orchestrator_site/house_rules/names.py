"""Names say what a thing is: no utils, no helpers, no Manager, Helper, Handler, process_*, data."""

import ast
from collections.abc import Iterator

from orchestrator_site.house_rules.sizes import Function, functions
from orchestrator_site.house_rules.source import Source, Violation, dotted

MODULES = {"utils", "util", "helpers", "helper"}
CLASS_ENDINGS = ("Manager", "Helper", "Handler")
# Hooks whose names a framework chose.
HOOKS = {
    "process_request",
    "process_response",
    "process_view",
    "process_exception",
    "process_template_response",
    "process_formdata",
    "process_bind_param",
}
# Functions whose parameter a framework, or the contract of the wire formats, calls `data`.
TAKE_DATA = {"feed", "data_received", "pipe_data_received", "validate", "to_internal_value", "run_validation"}
# Classes whose fields are names of a format that is not ours.
WIRE_BASES = {"Struct", "Serializer", "ModelSerializer", "TypedDict", "BaseModel"}


def module_names(source: Source) -> Iterator[Violation]:
    words = [part.removesuffix(".py") for part in source.place.parts]
    for word in words if source.tree is not None else []:
        if word in MODULES:
            yield source.breaks(1, f"a module called {word} says nothing; name it for its idea")


def class_names(source: Source) -> Iterator[Violation]:
    for node in source.nodes():
        if isinstance(node, ast.ClassDef) and (ending := forbidden_ending(node)):
            yield source.breaks(node.lineno, f"class {node.name} ends in {ending}; name what it is")


def forbidden_ending(node: ast.ClassDef) -> str | None:
    """The ending, unless a framework's base class has it too: Django's managers, logging's handlers."""
    ending = next((each for each in CLASS_ENDINGS if node.name.endswith(each)), None)
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    imposed = ending is not None and any(dotted(base).endswith(ending) for base in bases)
    return None if imposed else ending


def function_names(source: Source) -> Iterator[Violation]:
    for function in functions(source):
        if function.name.startswith("process_") and function.name not in HOOKS:
            yield source.breaks(function.lineno, f"{function.name} does not say what it does")


def variable_names(source: Source) -> Iterator[Violation]:
    for line in sorted(set(lines_of_data(source))):
        yield source.breaks(line, "`data` names nothing; say what it holds")


def lines_of_data(source: Source) -> Iterator[int]:
    wire = {id(field.target) for field in wire_fields(source)}
    for node in source.nodes():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == "data":
            if id(node) not in wire:
                yield node.lineno
        elif isinstance(node, Function) and node.name not in TAKE_DATA:
            yield from (argument.lineno for argument in arguments(node) if argument.arg == "data")


def wire_fields(source: Source) -> Iterator[ast.AnnAssign]:
    for node in source.nodes():
        if isinstance(node, ast.ClassDef) and any(dotted(base).split(".")[-1] in WIRE_BASES for base in node.bases):
            yield from (field for field in node.body if isinstance(field, ast.AnnAssign))


def arguments(node: Function) -> list[ast.arg]:
    spec = node.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return named + [each for each in (spec.vararg, spec.kwarg) if each is not None]
