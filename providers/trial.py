"""Trying a provider out: its list of models, a short answer, and the same answer as a stream.

It goes the way of a completion, through the same wires and the same guard, but for the ledger: a trial is between the
tenant and its own vendor.
"""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Final

import msgspec

from common.errors import InvalidRequest, OrchestratorError, UpstreamGarbled
from providers.client import UpstreamClient
from providers.client.discovery import fetch_model_list
from providers.egress.configured import resolver
from providers.models import Provider
from providers.places import Place, place_of
from providers.scope import Owner
from providers.snapshots import provider_offers
from providers.wire.openai.request import parse_chat_request
from providers.wire.registry import spoken
from providers.wire.shapes import ChatRequest, Deadlines, Target

# All at once, within the patience that anyone has with a request.
DEADLINES: Final = Deadlines(connect=5.0, first_byte=20.0, between_chunks=10.0, total=20.0)
LARGEST_ANSWER: Final = 1024 * 1024
# A model that reasons says nothing at all with fewer.
MOST_TOKENS: Final = 16


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`error` and `message` are empty where `ok`. `models` counts those listed; `first_chunk_ms` is of the stream."""

    ok: bool
    latency_ms: float = 0.0
    error: str = ""
    message: str = ""
    models: int | None = None
    first_chunk_ms: float | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """`model` is empty, and the two answers are None, for a provider that offers none."""

    listing: Step
    model: str = ""
    completion: Step | None = None
    stream: Step | None = None

    @property
    def ok(self) -> bool:
        """Not every vendor lists its models, but all have to answer."""
        listed = self.listing.ok or self.listing.error == "no_model_list"
        return listed and self.completion is not None and self.completion.ok and bool(self.stream and self.stream.ok)


class Candidate(msgspec.Struct, frozen=True):
    """What of a provider is to be tried."""

    place: Place
    target: Target | None


def candidate(row: Provider, owner: Owner, model: str) -> Candidate:
    """With the model of that name, or for none its default model or the first that it offers.

    Raises InvalidRequest for a model that it does not offer, and for a provider whose wire is not spoken here.
    """
    place = place_of(row, owner)
    if place is None:
        raise InvalidRequest(f"The wire '{row.wire}' is not spoken here, or its quirks are none.", param="wire")
    targets = {offer.target.model: offer.target for offer, _ in provider_offers(row, owner, datetime.now(UTC))}
    if model and model not in targets:
        raise InvalidRequest(f"The provider offers no model '{model[:200]}'.", param="model")
    return Candidate(place, targets.get(model or row.default_model) or next(iter(targets.values()), None))


async def tried(chosen: Candidate) -> Trial:
    """Never raises for what the provider does."""
    client = UpstreamClient(2, resolver().places)
    await client.open()
    try:
        listing = step(listed(chosen.place))
        if chosen.target is None:
            return Trial(listing=await listing)
        steps = await asyncio.gather(
            listing, step(completed(client, chosen.target)), step(streamed(client, chosen.target))
        )
        return Trial(listing=steps[0], model=chosen.target.model, completion=steps[1], stream=steps[2])
    finally:
        await client.close()


async def step(trying: Awaitable[Step]) -> Step:
    began = time.perf_counter()
    try:
        found = await trying
    except OrchestratorError as error:
        found = Step(ok=False, error=error.code, message=error.message)
    return msgspec.structs.replace(found, latency_ms=since(began))


def since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


async def listed(place: Place) -> Step:
    if not place.url:
        return Step(ok=False, error="no_model_list", message="The provider lists no models.")
    found = await fetch_model_list(place.url, place.headers, resolver().places, place.scope)
    return Step(ok=True, models=len(found.models))


async def completed(client: UpstreamClient, target: Target) -> Step:
    request = question(target.model, stream=False)
    wire = spoken(request, target)
    asked = wire.build_request(request, target)
    async with client.send(asked, DEADLINES, (), target.provider_scope) as answer:
        if not 200 <= answer.status < 300:
            raise wire.parse_error(answer.status, answer.headers, await answer.read_error())
        chunk = wire.parse_response(await answer.read(LARGEST_ANSWER))
    if chunk.error is not None:
        raise chunk.error
    return Step(ok=True)


async def streamed(client: UpstreamClient, target: Target) -> Step:
    """A stream that does not end as one is none."""
    began, first, finished, size = time.perf_counter(), None, False, 0
    request = question(target.model, stream=True)
    wire = spoken(request, target)
    async with client.send(wire.build_request(request, target), DEADLINES, (), target.provider_scope) as answer:
        if not 200 <= answer.status < 300:
            raise wire.parse_error(answer.status, answer.headers, await answer.read_error())
        parser = wire.parse_stream(request)
        async for piece in answer.chunks():
            for chunk in parser.feed(piece):
                if chunk.error is not None:
                    raise chunk.error
                first, finished = first or since(began), finished or chunk.finished or chunk.done
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise UpstreamGarbled("The provider's stream has no end.")
        finished = finished or any(chunk.finished or chunk.done for chunk in parser.close())
    if not finished:
        raise UpstreamGarbled("The provider's stream broke off before its end.")
    return Step(ok=True, first_chunk_ms=first)


def question(model: str, *, stream: bool) -> ChatRequest:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Answer with the word OK."}],
        "max_completion_tokens": MOST_TOKENS,
        "stream": stream,
    }
    return parse_chat_request(msgspec.json.encode(body))
