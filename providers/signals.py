"""What is told of a provider or a route once a change to it is committed: django.dispatch signals, for what is to
follow from it.

    provider_created, provider_updated, provider_removed
    route_created, route_updated, route_removed

Receivers get `owner` (a TenantRef, None for the platform), `provider_id` or `route_id` (UUID), and `name`; never a
secret. A provider is updated when its own fields, its credentials or its models change, a route when its fields or
targets do; each is told of once for a transaction. A receiver that raises is logged, and the change stands.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from providers.models import Provider, Route
from providers.scope import Owner

provider_created = Signal()
provider_updated = Signal()
provider_removed = Signal()
route_created = Signal()
route_updated = Signal()
route_removed = Signal()

UPDATES = (provider_updated, route_updated)
REMOVALS = (provider_removed, route_removed)


@dataclass(frozen=True, eq=False)
class Announcement:
    signal: Signal
    owner: Owner
    sender: type[Provider | Route]
    row_id: UUID
    name: str

    def __call__(self) -> None:
        which = {f"{self.sender._meta.model_name}_id": self.row_id}
        self.signal.send_robust(sender=self.sender, owner=self.owner, name=self.name, **which)

    def makes_needless(self, other: "Announcement") -> bool:
        """An update says nothing more of a row that is new, or told of already."""
        return (
            other.signal in UPDATES
            and self.signal not in REMOVALS
            and (self.owner, self.row_id, self.name) == (other.owner, other.row_id, other.name)
        )


def announce(signal: Signal, owner: Owner, row: Provider | Route) -> None:
    """Sends it when the transaction is committed, and not at all when it is undone."""
    announcement = Announcement(signal, owner, type(row), row.id, row.name)
    pending = (entry[1] for entry in connection.run_on_commit)
    if not any(isinstance(each, Announcement) and each.makes_needless(announcement) for each in pending):
        transaction.on_commit(announcement, robust=True)
