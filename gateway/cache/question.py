"""A request whose answer may be kept, or may have been."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from billing.limits.admission import Lookup
from gateway.cache.key import Scopes, key_of
from gateway.cache.shelf import lookup_of
from providers.catalogue import Resolution
from providers.route_policy import CacheRule
from providers.wire.custom.adapter import CustomWire
from providers.wire.shapes import ChatRequest


class Question(msgspec.Struct, frozen=True):
    """`rule` is the route's. Equal keys have equal answers."""

    tenant_id: UUID
    key: bytes
    rule: CacheRule
    request: ChatRequest

    @property
    def lookup(self) -> Lookup:
        """For `Admission.admit`."""
        return lookup_of(self.tenant_id, self.key)


class Questions:
    def __init__(self) -> None:
        self._scopes: Final = Scopes()

    def of(
        self, tenant_id: UUID, resolution: Resolution, request: ChatRequest, tags: Iterable[str] = ()
    ) -> Question | None:
        """None where nothing is kept: without a route, or one that asks for it; uploads; bodies of more than 4 MiB."""
        route = resolution.route
        if route is None or route.policy.cache is None:
            return None
        templates = any(each.target.wire == CustomWire.name for each in resolution.candidates)
        key = key_of(self._scopes.of(tenant_id, route), request, tags=tags, every_field=templates)
        return None if key is None else Question(tenant_id, key, route.policy.cache, request)
