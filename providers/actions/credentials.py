"""Secrets of providers: written here, opened in `providers.snapshots` alone, never shown."""

from typing import Any
from uuid import UUID

from common.crypto import SecretUnreadable
from common.errors import InvalidRequest
from providers.actions.rows import assign, find, save_valid
from providers.models import Credential, Provider
from providers.scope import Owner, in_owner_scope, keyring, raise_owner_version, secret_place
from providers.signals import Action, Change, announce, provider_updated

LONGEST_SECRET = 8000
CHANGEABLE = ("label", "enabled", "position", "requests_per_minute")


@in_owner_scope
def set_credential(*, owner: Owner, provider_id: UUID, secret: str, label: str = "default") -> UUID:
    """The credential's id. Replaces the secret of the same label; the same secret again changes nothing.

    Raises NotFound and InvalidRequest.
    """
    provider = find(Provider, provider_id)
    plain = checked(secret)
    held = Credential.objects.select_for_update().filter(provider=provider, label=label)
    row = held.first() or Credential(provider=provider, label=label)
    if not row._state.adding and row.enabled and holds(row, owner, plain):
        return row.id
    action: Action = "created" if row._state.adding else "updated"
    row.secret = keyring().encrypt(plain, place=secret_place(owner, row.id))
    row.enabled = True
    save_valid(row, unique="label")
    changed(owner, row, action, ("secret",) if action == "updated" else ())
    return row.id


@in_owner_scope
def change_credential(*, owner: Owner, credential_id: UUID, **changes: Any) -> None:
    """`changes`: label, enabled, position, requests_per_minute; never the secret, which `set_credential` writes.

    Raises NotFound, InvalidRequest and Conflict.
    """
    row = locked(credential_id)
    if fields := assign(row, {name: changes[name] for name in CHANGEABLE if name in changes}):
        save_valid(row, unique="label")
        changed(owner, row, "updated", fields)


@in_owner_scope
def enable_credential(*, owner: Owner, credential_id: UUID, enabled: bool) -> None:
    """Raises NotFound."""
    change_credential(owner=owner, credential_id=credential_id, enabled=enabled)


@in_owner_scope
def delete_credential(*, owner: Owner, credential_id: UUID) -> None:
    """Raises NotFound."""
    row = find(Credential, credential_id)
    row.delete()
    changed(owner, row, "removed")


def locked(credential_id: UUID) -> Credential:
    """Held until the transaction ends, so that a secret moved to a new key meanwhile is not put back.

    Raises NotFound.
    """
    find(Credential, credential_id)
    return Credential.objects.select_for_update().get(pk=credential_id)


def changed(owner: Owner, row: Credential, action: Action, fields: tuple[str, ...] = ()) -> None:
    raise_owner_version(owner)
    change = Change("credential", f"{row.provider.name}/{row.label}", action, fields)
    announce(provider_updated, owner, row.provider, parts=[change])


def checked(secret: str) -> bytes:
    """A secret goes into a header, so it is visible ASCII. The refusal does not quote it."""
    if not 1 <= len(secret) <= LONGEST_SECRET or not all("!" <= character <= "~" for character in secret):
        raise InvalidRequest(
            f"A secret is 1 to {LONGEST_SECRET} printable ASCII characters without spaces.", param="secret"
        )
    return secret.encode()


def holds(row: Credential, owner: Owner, plain: bytes) -> bool:
    try:
        return keyring().decrypt(bytes(row.secret), place=secret_place(owner, row.id)) == plain
    except SecretUnreadable:
        return False
