"""What is told of a provider once a change to it is committed: django.dispatch signals, for what is to follow from it.

    provider_created, provider_updated, provider_removed

Receivers get `owner` (a TenantRef, None for the platform), `provider_id` (UUID) and `name`; never a secret. A provider
is updated when its own fields, its credentials or its models change, and told of once for a transaction. A receiver
that raises is logged, and the change stands.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from providers.models import Provider
from providers.scope import Owner

provider_created = Signal()
provider_updated = Signal()
provider_removed = Signal()


@dataclass(frozen=True, eq=False)
class Announcement:
    signal: Signal
    owner: Owner
    provider_id: UUID
    name: str

    def __call__(self) -> None:
        self.signal.send_robust(sender=Provider, owner=self.owner, provider_id=self.provider_id, name=self.name)

    def makes_needless(self, other: "Announcement") -> bool:
        """An update says nothing more of a provider that is new, or told of already."""
        return (
            other.signal is provider_updated
            and self.signal is not provider_removed
            and (self.owner, self.provider_id, self.name) == (other.owner, other.provider_id, other.name)
        )


def announce(signal: Signal, owner: Owner, provider: Provider) -> None:
    """Sends it when the transaction is committed, and not at all when it is undone."""
    announcement = Announcement(signal, owner, provider.id, provider.name)
    pending = (entry[1] for entry in connection.run_on_commit)
    if not any(isinstance(each, Announcement) and each.makes_needless(announcement) for each in pending):
        transaction.on_commit(announcement, robust=True)
