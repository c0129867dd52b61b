"""Wire formats that a self-hoster has installed: Python entry points of the group `orchestrator.wires`.

    [project.entry-points."orchestrator.wires"]
    acme = "acme_wire:AcmeWire"

The name is what a provider's `wire` says; the object is a `providers.wire.ports.Wire`, or a class of them that takes no
arguments. They are loaded once for a process. One that cannot be loaded, is no wire or takes a name of ours is logged
and passed over: the others, and the product, go on. docs/examples/wire-plugin is a whole one.
"""

import inspect
import logging
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final, cast

from providers.wire.ports import Wire
from providers.wire_names import BUILT_IN_WIRES

GROUP: Final = "orchestrator.wires"
NEEDED: Final = (
    *("build_request", "parse_response", "parse_stream", "parse_error"),
    *("credential_headers", "build_prompt", "read_answer", "read_stream"),
)

logger = logging.getLogger(__name__)


@cache
def entry_point_wires() -> dict[str, Wire]:
    """By name. Never raises."""
    return dict(installed_wires())


def installed_wires() -> Iterator[tuple[str, Wire]]:
    for name, loaded in installed(GROUP):
        try:
            yield name, checked(name, loaded)
        except Exception:
            logger.exception("wire passed over", extra={"wire": name})


def checked(name: str, loaded: Any) -> Wire:
    """Raises TypeError or ValueError, or what making it raises."""
    if name in BUILT_IN_WIRES:
        raise ValueError(f"the platform has a wire called {name!r}")
    wire = loaded() if inspect.isclass(loaded) else loaded
    if missing := [method for method in NEEDED if not callable(getattr(wire, method, None))]:
        raise TypeError(f"a wire has {', '.join(missing)}")
    if getattr(wire, "name", None) != name or not isinstance(getattr(wire, "native", None), frozenset):
        raise TypeError("a wire has the name of its entry point, and a frozenset of dialects called native")
    return cast(Wire, wire)


def installed(group: str) -> Iterator[tuple[str, Any]]:
    """What the entry points of a group lead to, sorted by name; one that does not load is logged and passed over."""
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            yield entry.name, entry.load()
        except Exception:
            logger.exception("entry point passed over", extra={"group": group, "entry_point": entry.name})
