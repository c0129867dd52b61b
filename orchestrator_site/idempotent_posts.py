"""POSTs of the control plane with an `idempotency-key`: done once, as the gateway's edge does completions."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, cast
from uuid import UUID

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from billing.idempotency import claims, store
from billing.idempotency.claims import Claim, Kept
from common.errors import OrchestratorError, PayloadTooLarge
from common.ids import new_id
from orchestrator_site.error_pages import API_PREFIX, answer
from tenants import database_threads
from tenants.api_authentication import ApiKeyAuthentication
from tenants.identity import TenantRef

log = structlog.get_logger(__name__)

# Longer than any POST takes: nobody renews it.
LEASE: Final = timedelta(minutes=5)
# In all as long as is sensible to keep a caller waiting.
WAITS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0)
SECONDS: Final = 5.0
KEPT_HEADERS: Final = ("content-type", "location")


class Ours(NamedTuple):
    """A request that is to be done now."""

    tenant: TenantRef
    claim: Claim


Begun = HttpResponse | Ours | Literal["running", "nobody's"]


class IdempotentPosts:
    """Stands last, so that what the others add to an answer is each answer's own.

    A POST whose caller leaves is done to its end, and its answer kept for when they come back.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        self._under_way: set[asyncio.Task[HttpResponseBase]] = set()
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if claims.HEADER not in request.headers or request.method != "POST" or not request.path.startswith(API_PREFIX):
            return self.get_response(request)
        return self.once_async(request) if self.is_async else self.once(request)

    def once(self, request: HttpRequest) -> HttpResponseBase:
        begun = begin(request)
        for seconds in WAITS:
            if begun != "running":
                break
            time.sleep(seconds)
            begun = begin(request)
        if (response := answered(request, begun)) is not None:
            return response
        done: HttpResponseBase = self.get_response(request)
        end(begun, done)
        return done

    async def once_async(self, request: HttpRequest) -> HttpResponseBase:
        begun = await database_threads.run(lambda _: begin(request), SECONDS)
        for seconds in WAITS:
            if begun != "running":
                break
            await asyncio.sleep(seconds)
            begun = await database_threads.run(lambda _: begin(request), SECONDS)
        if (response := answered(request, begun)) is not None:
            return response
        task = asyncio.create_task(self._done(request, begun))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _done(self, request: HttpRequest, begun: Begun) -> HttpResponseBase:
        done: HttpResponseBase = await self.get_response(request)
        try:
            await database_threads.run(lambda _: end(begun, done), SECONDS)
        except OrchestratorError as error:
            log.warning("idempotent_answer_not_kept", code=error.code)
        return done


def begin(request: HttpRequest) -> Begun:
    """ "nobody's" is for the view to refuse."""
    try:
        signed_in = ApiKeyAuthentication().authenticate(cast(Request, request))
    except OrchestratorError:
        return "nobody's"
    if signed_in is None:
        return "nobody's"
    caller = signed_in[1]
    try:
        claim = claim_in(request, caller.tenant.id, caller.key_id)
        kept = store.claim_once(tenant=caller.tenant, claim=claim, lease=LEASE)
        if isinstance(kept, Kept):
            return replayed(kept)
    except OrchestratorError as error:
        return answer(request, error)
    return Ours(caller.tenant, claim) if kept == "ours" else "running"


def answered(request: HttpRequest, begun: Begun) -> HttpResponse | None:
    """None leaves the request to be done."""
    if begun == "running":
        return answer(request, claims.still_running())
    return begun if isinstance(begun, HttpResponse) else None


def claim_in(request: HttpRequest, tenant_id: UUID, key_id: UUID) -> Claim:
    """Raises InvalidRequest, PayloadTooLarge."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise PayloadTooLarge("The body is too large for a request with an idempotency-key.") from None
    known = structlog.contextvars.get_contextvars().get("request_id")
    return claims.claim_of(
        request.headers[claims.HEADER].encode("latin-1", "replace"),
        tenant_id=tenant_id,
        key_id=key_id,
        asked=(b"POST", request.path.encode(), request.META.get("QUERY_STRING", "").encode(), body),
        content_type=request.headers.get("content-type", "").encode("latin-1", "replace"),
        request_id=UUID(known) if known else new_id(),
    )


def replayed(kept: Kept) -> HttpResponse:
    """Raises Conflict where there is nothing to replay."""
    if kept.body is None:
        raise claims.not_kept(kept)
    headers = {**dict(kept.headers), claims.REPLAYED: "true", claims.ORIGINAL: str(kept.request_id)}
    return HttpResponse(kept.body, status=kept.status, headers=headers)


def end(begun: Begun, response: HttpResponseBase) -> None:
    """Keeps an answer that is final, and lets go of the claim on any other."""
    if not isinstance(begun, Ours):
        return
    tenant, claim = begun
    try:
        if isinstance(response, HttpResponse) and claims.is_final(response.status_code):
            store.keep_answer(tenant=tenant, claim=claim, answer=answer_of(claim, response))
        else:
            store.release(tenant=tenant, claim=claim)
    except DatabaseError as error:
        # What was done is done.
        log.warning("idempotent_answer_not_kept", error=type(error).__name__)


def answer_of(claim: Claim, response: HttpResponse) -> Kept:
    """Without its body where that is too large, or is told once only: a secret, which says `no-store`."""
    headers = tuple((name, response.headers[name]) for name in KEPT_HEADERS if name in response.headers)
    once_only = "no-store" in response.headers.get("cache-control", "")
    body = None if once_only or len(response.content) > claims.MOST_BYTES else response.content
    return Kept(claim.request_id, response.status_code, headers, body)
