"""A request as the edge's endpoints see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class Request:
    """A request without its body. `began` is on the loop's clock; `name` the {id} of the route, slashes included;
    `query` as it came, without the question mark."""

    id: UUID
    headers: Mapping[bytes, bytes]
    name: str
    began: float
    query: bytes = b""
    method: str = "POST"
    path: str = ""

    @property
    def host(self) -> str:
        return self.headers.get(b"host", b"").decode("latin-1")
