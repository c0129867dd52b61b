"""POSTs of the control plane with an `idempotency-key`: done once, as the gateway's edge does completions."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final, Literal, NamedTuple, cast
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.deprecation import MiddlewareMixin
from psycopg_pool import PoolTimeout
from rest_framework.request import Request

from billing.idempotency import claims, store
from billing.idempotency.claims import Claim, Kept
from common.errors import OrchestratorError, PayloadTooLarge
from common.ids import new_id
from orchestrator_site.error_pages import API_PREFIX, answer
from tenants.api_authentication import ApiKeyAuthentication
from tenants.identity import TenantRef

log = structlog.get_logger(__name__)

# Longer than any POST takes: nobody renews it.
LEASE: Final = timedelta(minutes=5)
# In all as long as is sensible to keep a caller waiting.
WAITS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0)
KEPT_HEADERS: Final = ("content-type", "location")


View = Callable[..., HttpResponseBase]


class Ours(NamedTuple):
    """A request that is to be done now."""

    tenant: TenantRef
    claim: Claim


Begun = HttpResponse | Ours | Literal["running", "nobody's"]


class IdempotentPosts(MiddlewareMixin):
    """Stands last, so that what the others add to an answer is each answer's own.

    Claim, view and keeping are one piece of work in the request's thread, which nothing breaks off: a POST whose caller
    leaves is done to its end, and its answer kept for when they come back.
    """

    async def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """No thread is asked for a request without a key."""
        if claims.HEADER not in request.headers or request.method != "POST" or not request.path.startswith(API_PREFIX):
            return None
        return await sync_to_async(once)(request, partial(view, request, *args, **kwargs))


def once(request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    begun = begin(request)
    for seconds in WAITS:
        if begun != "running":
            break
        time.sleep(seconds)
        begun = begin(request)
    if begun == "running":
        return answer(request, claims.still_running())
    if isinstance(begun, HttpResponse):
        return begun
    return view() if begun == "nobody's" else done(begun, view)


def done(ours: Ours, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Raises what the view raises."""
    response: HttpResponseBase | None = None
    try:
        response = view()
        if isinstance(response, SimpleTemplateResponse):
            response = response.render()
    finally:
        end(ours, response)
    return response


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


def end(ours: Ours, response: HttpResponseBase | None) -> None:
    """Keeps an answer that is final, and lets go of the claim on any other."""
    tenant, claim = ours
    try:
        if isinstance(response, HttpResponse) and claims.is_final(response.status_code):
            store.keep_answer(tenant=tenant, claim=claim, answer=answer_of(claim, response))
        else:
            store.release(tenant=tenant, claim=claim)
    except (DatabaseError, PoolTimeout) as error:
        # What was done is done.
        log.warning("idempotent_answer_not_kept", error=type(error).__name__)


def answer_of(claim: Claim, response: HttpResponse) -> Kept:
    """Without its body where that is too large, or is told once only: a secret, which says `no-store`."""
    headers = tuple((name, response.headers[name]) for name in KEPT_HEADERS if name in response.headers)
    once_only = "no-store" in response.headers.get("cache-control", "")
    body = None if once_only or len(response.content) > claims.MOST_BYTES else response.content
    return Kept(claim.request_id, response.status_code, headers, body)
