"""Foreign keys point along the line of packages, and never out of a tenant's schema."""

import ast
from collections.abc import Iterator

from orchestrator_site.house_rules.source import Source, Violation, dotted

LINE = ("orchestrator_site", "console", "chat", "gateway", "billing", "providers", "tenants", "common")
# Their tables live in a tenant's schema. It can move to another cluster than the public one, so no key leaves it.
TENANT_SCHEMA = ("chat", "providers")
RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField", "TenantForeignKey"}
FIRST_ARGUMENT = "to"
USER_MODEL = {"settings.AUTH_USER_MODEL": "tenants", "AUTH_USER_MODEL": "tenants", "get_user_model": "tenants"}
FRAMEWORK = {"auth": "tenants", "contenttypes": "tenants", "sessions": "tenants"}


def keys_along_the_line(source: Source) -> Iterator[Violation]:
    if source.package not in LINE or source.is_test:
        return
    for call in relations(source):
        target = package_of(source, call)
        if target is not None and (why := wrong(source.package, target)):
            yield source.breaks(call.lineno, why)


def relations(source: Source) -> Iterator[ast.Call]:
    for node in source.nodes():
        if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in RELATIONS:
            yield node


def package_of(source: Source, call: ast.Call) -> str | None:
    """The package of the model that a relation points to; None when that is not one of the house's."""
    to = next((word.value for word in call.keywords if word.arg == FIRST_ARGUMENT), None) or next(iter(call.args), None)
    if isinstance(to, ast.Constant) and isinstance(to.value, str):
        return of_label(to.value, source.package)
    if isinstance(to, ast.Call):
        to = to.func
    name = dotted(to) if to is not None else ""
    return USER_MODEL.get(name) or imports(source).get(name.split(".")[0], source.package)


def of_label(label: str, own: str) -> str | None:
    """ "providers.Provider" → "providers"; "self" and "Provider" are the file's own package."""
    app, dot, _ = label.rpartition(".")
    app = FRAMEWORK.get(app, app) if dot else own
    return app if app in LINE else None


def imports(source: Source) -> dict[str, str | None]:
    """Name as the file knows it → package it came from, or None for another's."""
    found: dict[str, str | None] = {}
    for node in source.nodes():
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            package = node.module.split(".")[0]
            found |= {alias.asname or alias.name: package if package in LINE else None for alias in node.names}
    return found


def wrong(own: str, target: str) -> str | None:
    if LINE.index(target) < LINE.index(own):
        return f"a key from {own} to {target} points against the line {' → '.join(LINE)}"
    if own in TENANT_SCHEMA and target not in TENANT_SCHEMA:
        return f"a key from {own} to {target} leaves the tenant's schema; store the id without a key"
    return None
