"""Secrets of providers: written here, opened in `providers.snapshots` alone, never shown."""

from typing import Any
from uuid import UUID

from common.crypto import SecretUnreadable
from common.errors import InvalidRequest
from providers.actions.rows import assign, find, remove, save_valid
from providers.models import Credential, Provider
from providers.scope import Owner, in_owner_scope, keyring, raise_owner_version, secret_place

LONGEST_SECRET = 8000
CHANGEABLE = ("label", "enabled", "position", "requests_per_minute")


@in_owner_scope
def set_credential(*, owner: Owner, provider_id: UUID, secret: str, label: str = "default") -> UUID:
    """The credential's id. Replaces the secret of the same label; the same secret again changes nothing.

    Raises NotFound and InvalidRequest.
    """
    provider = find(Provider, provider_id)
    plain = checked(secret)
    row = Credential.objects.filter(provider=provider, label=label).first() or Credential(
        provider=provider, label=label
    )
    if not row._state.adding and row.enabled and holds(row, owner, plain):
        return row.id
    row.secret = keyring().encrypt(plain, place=secret_place(owner, row.id))
    row.enabled = True
    save_valid(row, unique="label")
    raise_owner_version(owner)
    return row.id


@in_owner_scope
def change_credential(*, owner: Owner, credential_id: UUID, **changes: Any) -> None:
    """`changes`: label, enabled, position, requests_per_minute; never the secret, which `set_credential` writes.

    Raises NotFound, InvalidRequest and Conflict.
    """
    row = find(Credential, credential_id)
    if assign(row, {name: changes[name] for name in CHANGEABLE if name in changes}):
        save_valid(row, unique="label")
        raise_owner_version(owner)


@in_owner_scope
def enable_credential(*, owner: Owner, credential_id: UUID, enabled: bool) -> None:
    """Raises NotFound."""
    row = find(Credential, credential_id)
    if row.enabled != enabled:
        row.enabled = enabled
        row.save(update_fields=["enabled", "updated_at"])
        raise_owner_version(owner)


@in_owner_scope
def delete_credential(*, owner: Owner, credential_id: UUID) -> None:
    """Raises NotFound."""
    remove(Credential, credential_id)
    raise_owner_version(owner)


@in_owner_scope
def rewrap_credentials(*, owner: Owner) -> int:
    """Moves the owner's secrets to the newest ENCRYPTION_KEY; how many were moved.

    Run it for every owner before an old key is taken away. What is in use does not change, so no version is raised.
    Raises SecretUnreadable.
    """
    moved = 0
    for row in Credential.objects.select_for_update():
        sealed = bytes(row.secret)
        if not keyring().is_current(sealed):
            row.secret = keyring().rewrap(sealed, place=secret_place(owner, row.id))
            row.save(update_fields=["secret"])
            moved += 1
    return moved


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
