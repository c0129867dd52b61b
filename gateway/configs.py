"""What the gateway knows of tenants and platform: immutable snapshots, loaded once, replaced when they change.

A tenant's version comes with every admission. Where it differs from the snapshot's, the snapshot is loaded again before
anything is dispatched; where Redis has lost it, the loaded one is put back. So a revoked key stops with its next
request, and PostgreSQL is asked for nothing while nothing changes.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from billing.limits.admission import Admission
from common.clock import Clock
from common.errors import NotFound, Unauthenticated, Unavailable
from gateway.ports import ConfigSource
from gateway.unknown_keys import UnknownKeys
from providers.catalogue import Catalogue, Resolution, resolve
from tenants.hosts import HostCache, check_host_of_key, normalised
from tenants.identity import IdentitySnapshot
from tenants.keys import unknown_key

MOST_TENANTS: Final = 2_000
MOST_RESOLUTIONS: Final = 500


@dataclass(frozen=True, slots=True)
class PlatformConfig:
    version: int
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class TenantConfig:
    identity: IdentitySnapshot
    catalogue: Catalogue

    @property
    def tenant_id(self) -> UUID:
        return self.identity.tenant.id

    @property
    def version(self) -> int:
        return self.identity.version


class Configs:
    """The snapshots of one process; at most `most_tenants`, the least lately used leave first."""

    def __init__(
        self,
        source: ConfigSource,
        admission: Admission,
        clock: Clock,
        *,
        lookups_at_once: int,
        most_tenants: int = MOST_TENANTS,
    ) -> None:
        self._source = source
        self._admission = admission
        self._clock = clock
        self._most_tenants = most_tenants
        self._held: OrderedDict[UUID, TenantConfig] = OrderedDict()
        self._tenant_of: dict[str, UUID] = {}
        self._stale: set[UUID] = set()
        self._loads: dict[UUID, asyncio.Task[TenantConfig]] = {}
        self._platform: PlatformConfig | None = None
        self._platform_load = asyncio.Lock()
        self._unknown = UnknownKeys(source.tenant_of_key, clock.monotonic, at_once=lookups_at_once)
        self._hosts = HostCache(clock.monotonic)
        self._resolutions: dict[tuple[UUID, str], tuple[TenantConfig, PlatformConfig, Resolution]] = {}

    async def of_key(self, key_id: str) -> TenantConfig:
        """The snapshot that holds the key. Raises Unauthenticated, Unavailable."""
        config = await self._current(self._tenant_of.get(key_id))
        if config is not None and key_id in config.identity.keys:
            return config
        tenant_id = await self._unknown.find(key_id)
        held = self._held.get(tenant_id)
        if held is not None and key_id in held.identity.keys:
            # Another caller with the same key was quicker.
            return held
        config = await self._load(tenant_id)
        if key_id not in config.identity.keys:
            self._unknown.remember(key_id)
            raise unknown_key()
        return config

    async def _current(self, tenant_id: UUID | None) -> TenantConfig | None:
        """The snapshot at hand, loaded again where it is known to be old."""
        config = None if tenant_id is None else self._held.get(tenant_id)
        if tenant_id is None or config is None:
            return None
        self._held.move_to_end(tenant_id)
        if tenant_id in self._stale or config.catalogue.outdated(self._clock.now()):
            return await self._load(tenant_id)
        return config

    async def agreed(self, config: TenantConfig, version: int | None) -> TenantConfig:
        """The snapshot in force, given the version Redis named. Raises Unauthenticated, Unavailable."""
        if version == config.version:
            return config
        earlier = self._loads.get(config.tenant_id)
        if earlier is not None:
            # It may have read before the change.
            await asyncio.wait([earlier])
            held = self._held.get(config.tenant_id)
            if held is not None and held.version == version:
                return held
        fresh = await self._load(config.tenant_id)
        if fresh.version != version:
            await self._admission.replace_version(config.tenant_id, seen=version, true=fresh.version)
        return fresh

    async def confirmed(self, config: TenantConfig) -> TenantConfig:
        """The snapshot, checked against Redis, for a refusal that may be out of date."""
        try:
            return await self.agreed(config, await self._admission.version(config.tenant_id))
        except Unavailable:
            return config

    async def platform(self) -> PlatformConfig:
        """Raises Unavailable."""
        if self._platform is None:
            async with self._platform_load:
                if self._platform is None:
                    self._platform = await self._load_platform()
        return self._platform

    async def resolve(self, config: TenantConfig, name: str) -> Resolution:
        """What a model's name means to the tenant. Raises NotFound, Unavailable."""
        platform = self._platform or await self.platform()
        known = self._resolutions.get((config.tenant_id, name))
        if known is not None and known[0] is config and known[1] is platform:
            return known[2]
        identity = config.identity
        resolution = resolve(name, config.catalogue, platform.catalogue, identity.default_model, identity.plan_name)
        if len(self._resolutions) >= MOST_RESOLUTIONS:
            self._resolutions.clear()
        self._resolutions[config.tenant_id, name] = (config, platform, resolution)
        return resolution

    def known(self, config: TenantConfig, name: str) -> Resolution | None:
        """What `resolve` said lately, if it would say so again."""
        known = self._resolutions.get((config.tenant_id, name))
        return known[2] if known is not None and known[0] is config and known[1] is self._platform else None

    async def check_host(self, config: TenantConfig, header: str) -> None:
        """Raises PermissionDenied when the host is another tenant's; Unavailable."""
        host = normalised(header)
        known, tenant = self._hosts.recall(host)
        if not known:
            tenant = await self._source.tenant_of_host(host)
            self._hosts.keep(host, tenant)
        check_host_of_key(config.identity.tenant, tenant)

    async def poll(self) -> None:
        """Marks what has changed in PostgreSQL, and renews the platform's snapshot. Raises Unavailable."""
        versions = await self._source.versions(list(self._held))
        for tenant_id, config in self._held.items():
            if versions.tenants.get(tenant_id) != config.version:
                self._stale.add(tenant_id)
        held = self._platform
        if held is not None and (held.version != versions.platform or held.catalogue.outdated(self._clock.now())):
            self._platform = await self._load_platform()

    async def _load_platform(self) -> PlatformConfig:
        # The version first: what is read after it is at least that new.
        version = (await self._source.versions(())).platform
        return PlatformConfig(version, await self._source.platform_catalogue())

    async def _load(self, tenant_id: UUID) -> TenantConfig:
        """Joins a load under way or begins one, which goes on when its callers leave."""
        task = self._loads.get(tenant_id)
        if task is None:
            task = self._loads[tenant_id] = asyncio.create_task(self._read(tenant_id))
            task.add_done_callback(lambda done: self._loaded(tenant_id, done))
        return await asyncio.shield(task)

    async def _read(self, tenant_id: UUID) -> TenantConfig:
        try:
            identity = await self._source.identity(tenant_id)
        except NotFound:
            raise unknown_key() from None
        return TenantConfig(identity, await self._source.tenant_catalogue(identity.tenant))

    def _loaded(self, tenant_id: UUID, task: "asyncio.Task[TenantConfig]") -> None:
        del self._loads[tenant_id]
        if task.cancelled():
            return
        failure = task.exception()
        if failure is None:
            self._hold(task.result())
        elif isinstance(failure, Unauthenticated):
            self._drop(tenant_id)

    def _hold(self, config: TenantConfig) -> None:
        self._drop(config.tenant_id)
        self._held[config.tenant_id] = config
        self._tenant_of.update(dict.fromkeys(config.identity.keys, config.tenant_id))
        if len(self._held) > self._most_tenants:
            self._drop(next(iter(self._held)))

    def _drop(self, tenant_id: UUID) -> None:
        self._stale.discard(tenant_id)
        held = self._held.pop(tenant_id, None)
        for key_id in held.identity.keys if held is not None else ():
            self._tenant_of.pop(key_id, None)
