"""What an API key may do."""

from collections.abc import Iterable
from enum import StrEnum

from common.errors import InvalidRequest, PermissionDenied


class Scope(StrEnum):
    COMPLETIONS_WRITE = "completions:write"
    MODELS_READ = "models:read"
    USAGE_READ = "usage:read"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


ALL_SCOPES: frozenset[str] = frozenset(Scope)
# To use the platform, not to change it.
DEFAULT_SCOPES: frozenset[str] = frozenset({Scope.COMPLETIONS_WRITE, Scope.MODELS_READ, Scope.USAGE_READ})


def checked(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes of a new key: DEFAULT_SCOPES when none are named. Raises InvalidRequest for an unknown one."""
    wanted = frozenset(scopes)
    if unknown := wanted - ALL_SCOPES:
        raise InvalidRequest(
            f"Unknown scope {', '.join(sorted(unknown))}. There are {', '.join(sorted(ALL_SCOPES))}.", param="scopes"
        )
    return frozenset(str(scope) for scope in wanted) or DEFAULT_SCOPES


def check_scope(scopes: frozenset[str], needed: str) -> None:
    """Raises PermissionDenied when a key lacks a scope."""
    if needed not in scopes:
        raise PermissionDenied(f"This API key lacks the scope {needed}.", code="insufficient_scope")
