"""A tenant as a value, which is how it travels."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TenantRef:
    """Who a piece of work is for. Passed explicitly; never read back from a connection."""

    id: UUID
    slug: str
    schema_name: str
