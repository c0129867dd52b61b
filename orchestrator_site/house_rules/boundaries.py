"""What may be done in certain places alone: switching the tenant, enqueueing, calling upstream, printing."""

import ast
from collections.abc import Iterator

from orchestrator_site.house_rules.source import Source, Violation, dotted

SCHEMA_SWITCHES = {"set_schema", "set_tenant", "set_schema_to_public", "schema_context", "tenant_context"}
# Beside the door: its own backend, and the tests that prove what happens when a guard is missing.
DOOR = ("tenants/door.py", "tenants/db_backend", "tenants/tests")

ENQUEUE = {"delay", "apply_async", "send_task"}
EDGES = {"views", "api", "consumers", "admin", "tasks", "commands", "edge"}

CLIENT = ("providers/client.py", "providers/client")
# They speak to the platform's own Valkey.
OWN_SOCKETS = ("common/redis.py", "orchestrator_site/embedded")
HTTP_MODULES = {"aiohttp", "httpx", "httpx2", "requests", "urllib3", "pyreqwest"}
# aiohttp is a server as well; only its client side is upstream.
AIOHTTP_CLIENT = {"ClientSession", "TCPConnector", "request"}

SOCKETS = {"create_connection", "open_connection", "open_unix_connection", "create_unix_connection"}

PRINTERS = ("manage.py", "benchmarks", "orchestrator_site/embedded", "orchestrator_site/supervisor")


def one_door(source: Source) -> Iterator[Violation]:
    """The tenant of a connection changes in the door and nowhere else."""
    if source.within(*DOOR):
        return
    for node in source.nodes():
        for name in {dotted(node).split(".")[-1], *imported_names(node)} & SCHEMA_SWITCHES:
            yield source.breaks(line_of(node), f"{name} belongs to tenants/door.py; go through the door")


def edges_enqueue(source: Source) -> Iterator[Violation]:
    """Celery tasks are enqueued by edges, which know when the transaction ends."""
    if source.is_test or EDGES & {part.removesuffix(".py") for part in source.place.parts}:
        return
    for node in source.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and enqueues(node.func):
            yield source.breaks(node.lineno, f".{node.func.attr}() enqueues a task; only edges do")


def enqueues(called: ast.Attribute) -> bool:
    """A base task that passes the call on to `super()` enqueues nothing by itself."""
    passed_on = isinstance(called.value, ast.Call) and dotted(called.value.func) == "super"
    return called.attr in ENQUEUE and not passed_on


def one_client(source: Source) -> Iterator[Violation]:
    """Sockets to providers are opened by the client, which keeps the deadlines."""
    if source.is_test or source.within(*CLIENT, "benchmarks"):
        return
    for node in source.nodes():
        if module := opened_by(node):
            yield source.breaks(line_of(node), f"{module} opens sockets; only providers/client does")
        if isinstance(node, ast.Attribute) and node.attr in SOCKETS and not source.within(*OWN_SOCKETS):
            yield source.breaks(node.lineno, f"{node.attr} opens sockets; only providers/client does")


def opened_by(node: ast.AST) -> str | None:
    """The HTTP client that an import or an attribute stands for."""
    if isinstance(node, ast.Import):
        roots = {alias.name.split(".")[0] for alias in node.names}
        return next(iter((roots & HTTP_MODULES) - {"aiohttp"}), None)
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        root = node.module.split(".")[0]
        wanted = {alias.name for alias in node.names}
        return root if root in HTTP_MODULES and (root != "aiohttp" or wanted & AIOHTTP_CLIENT) else None
    if isinstance(node, ast.Attribute) and dotted(node) in {f"aiohttp.{name}" for name in AIOHTTP_CLIENT}:
        return "aiohttp"
    return None


def no_print(source: Source) -> Iterator[Violation]:
    """What a server has to say goes to the log."""
    if source.is_test or source.within(*PRINTERS) or is_command(source):
        return
    for node in source.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield source.breaks(node.lineno, "print() outside a command; use the log")


def is_command(source: Source) -> bool:
    """Whether people run the file: a management command, or a module with a main guard."""
    return {"commands", "__main__.py"} & set(source.place.parts) != set() or 'if __name__ == "__main__"' in source.text


def imported_names(node: ast.AST) -> set[str]:
    return {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))
