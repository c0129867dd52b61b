"""The states of a tenant, what each allows, and the ways between them."""

from enum import StrEnum

from common.errors import Conflict, PermissionDenied


class TenantState(StrEnum):
    ACTIVE = "active"
    READ_ONLY = "read_only"
    SUSPENDED = "suspended"


TRANSITIONS: dict[TenantState, frozenset[TenantState]] = {
    TenantState.ACTIVE: frozenset({TenantState.READ_ONLY, TenantState.SUSPENDED}),
    TenantState.READ_ONLY: frozenset({TenantState.ACTIVE, TenantState.SUSPENDED}),
    TenantState.SUSPENDED: frozenset({TenantState.ACTIVE, TenantState.READ_ONLY}),
}


def check_transition(old: TenantState, new: TenantState) -> None:
    """Raises Conflict unless a tenant may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        allowed = ", ".join(sorted(TRANSITIONS[old]))
        raise Conflict(f"A tenant that is {old} cannot become {new}; it can become {allowed}.", param="state")


def check_usable(state: str) -> None:
    """Raises PermissionDenied for a suspended tenant: nothing of it is served."""
    if state == TenantState.SUSPENDED:
        raise PermissionDenied("This tenant is suspended.", code="tenant_suspended")


def check_writable(state: str) -> None:
    """Raises PermissionDenied unless the tenant may spend and change things."""
    check_usable(state)
    if state == TenantState.READ_ONLY:
        raise PermissionDenied(
            "This tenant is read-only: it can look, but not change or spend.", code="tenant_read_only"
        )
