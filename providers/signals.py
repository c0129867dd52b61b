"""What is told of a provider or a route once a change to it is committed: django.dispatch signals, for what is to
follow from it.

    provider_created, provider_updated, provider_removed
    route_created, route_updated, route_removed

Receivers get `owner` (a TenantRef, None for the platform), `provider_id` or `route_id` (UUID), and `name`; never a
secret. A provider is updated when its own fields, its credentials or its models change, a route when its fields or
targets do; each is told of once for a transaction. A receiver that raises is logged, and the change stands.

    config_changed

is told of every change at once, within its transaction, for what is to be so with it or not at all: receivers get
`owner` and `changes` (Change values), and one that raises undoes them.

    announced

is told at once, within the transaction, of each of the six above that its commit will tell: receivers get `owner`,
`event` ("provider.created"), `row_id` and `name`, and one that raises undoes the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from providers.models import Provider, ProviderTemplate, Route
from providers.scope import Owner

provider_created = Signal()
provider_updated = Signal()
provider_removed = Signal()
route_created = Signal()
route_updated = Signal()
route_removed = Signal()
config_changed = Signal()
announced = Signal()

Action = Literal["created", "updated", "removed"]
ACTIONS: Final[dict[Signal, Action]] = {
    provider_created: "created",
    provider_updated: "updated",
    provider_removed: "removed",
    route_created: "created",
    route_updated: "updated",
    route_removed: "removed",
}
UPDATES = (provider_updated, route_updated)
REMOVALS = (provider_removed, route_removed)


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: provider, credential, model, route or template; `fields` of an update, by name and without values."""

    kind: str
    name: str
    action: Action
    fields: tuple[str, ...] = ()


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


def tell(owner: Owner, sender: type[Provider | Route | ProviderTemplate], changes: Sequence[Change]) -> None:
    config_changed.send(sender=sender, owner=owner, changes=tuple(changes))


def announce(
    signal: Signal,
    owner: Owner,
    row: Provider | Route,
    *,
    fields: Sequence[str] = (),
    parts: Sequence[Change] = (),
) -> None:
    """Sends it when the transaction is committed, and not at all when it is undone.

    `fields` are those of the row that changed; `parts` what changed instead of the row's own: its credentials, models.
    """
    own = Change(str(row._meta.model_name), row.name, ACTIONS[signal], tuple(fields))
    tell(owner, type(row), parts or (own,))
    announcement = Announcement(signal, owner, type(row), row.id, row.name)
    pending = (entry[1] for entry in connection.run_on_commit)
    if not any(isinstance(each, Announcement) and each.makes_needless(announcement) for each in pending):
        transaction.on_commit(announcement, robust=True)
        event = f"{row._meta.model_name}.{ACTIONS[signal]}"
        announced.send(sender=type(row), owner=owner, event=event, row_id=row.id, name=row.name)
