"""Asking a tenant's own providers which models they have, and offering the new ones.

No transaction is open while a provider is asked: the door is entered to read, and again for each that answered.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from common.errors import Conflict, NotFound, UpstreamError, UpstreamTimeout
from providers.actions.discovered import MOST_OFFERED, offer_discovered
from providers.client.discovery import fetch_model_list
from providers.egress.configured import resolver
from providers.models import Provider
from providers.places import Place, places_of
from providers.scope import owner_scope
from providers.wire.model_list import ModelList
from tenants.config_version import redis_client
from tenants.identity import TenantRef, redis_tag

AT_ONCE: Final = 8
# Within the patience that anyone has with a request (`orchestrator_site.patience`).
SECONDS_FOR_ALL: Final = 20.0
SECONDS_LOCKED: Final = 60
NO_LIST: Final = "no_model_list"

Answer = ModelList | UpstreamError | None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of one provider. `error` is empty for one that answered; else a word such as `upstream_timeout`, or
    `no_model_list`, with `message` for people. `cut`: it listed more than is taken."""

    provider: str
    found: int = 0
    added: tuple[str, ...] = ()
    ignored: int = 0
    cut: bool = False
    error: str = ""
    message: str = ""


def refresh_models(tenant: TenantRef, *, only: Collection[str] = ()) -> tuple[Refreshed, ...]:
    """Of the enabled providers of the tenant, or of those named alone, sorted by name.

    Raises NotFound for a name that is none of the tenant's, Conflict while another refresh of the tenant goes on.
    """
    with one_at_a_time(tenant):
        places = own_places(tenant, only)
        answers = asyncio.run(ask_all(places))
        return tuple(merged(tenant, place, answer) for place, answer in zip(places, answers, strict=True))


@contextmanager
def one_at_a_time(tenant: TenantRef) -> Iterator[None]:
    key = redis_tag(tenant.id) + ":model-refresh"
    if not redis_client().set(key, "1", nx=True, ex=SECONDS_LOCKED):
        raise Conflict(
            "The models of this tenant are being refreshed already.", code="refresh_under_way", retry_after=5
        )
    try:
        yield
    finally:
        redis_client().delete(key)


def own_places(tenant: TenantRef, only: Collection[str]) -> list[Place]:
    with owner_scope(tenant):
        rows = list(Provider.objects.order_by("name").prefetch_related("credentials"))
    if missing := sorted(set(only) - {row.name for row in rows}):
        raise NotFound(f"There is no provider '{missing[0][:100]}' of your own.", param="providers")
    return places_of((row for row in rows if (row.name in only if only else row.enabled)), tenant)


async def ask_all(places: Sequence[Place]) -> list[Answer]:
    """A few at once. What has not answered when the time is up is an UpstreamTimeout."""
    free, leads = asyncio.Semaphore(AT_ONCE), resolver()

    async def ask(place: Place) -> Answer:
        if not place.url:
            return None
        async with free:
            try:
                return await fetch_model_list(place.url, place.headers, leads.places, place.scope)
            except UpstreamError as error:
                return error

    tasks = [asyncio.create_task(ask(place)) for place in places]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=SECONDS_FOR_ALL)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return [
        UpstreamTimeout("There was no time left to ask it.") if task.cancelled() else task.result() for task in tasks
    ]


def merged(tenant: TenantRef, place: Place, answer: Answer) -> Refreshed:
    if answer is None:
        return Refreshed(place.name, error=NO_LIST, message="The provider lists no models.")
    if isinstance(answer, UpstreamError):
        return Refreshed(place.name, error=answer.code, message=answer.message)
    try:
        added = offer_discovered(owner=tenant, provider_id=place.provider_id, models=answer.models)
    except NotFound:
        return Refreshed(place.name, error="provider_removed", message="The provider was removed meanwhile.")
    found = len(answer.models)
    return Refreshed(place.name, found, added, answer.ignored, answer.cut or found > MOST_OFFERED)
