"""Responses that are kept: the memory of POST /v1/responses, and GET and DELETE of one, and GET of what it was asked
(platform.openai.com/docs/api-reference/responses).
"""

from typing import TYPE_CHECKING, Final, cast

import msgspec
import structlog

from common.errors import InvalidRequest, NotFound, OrchestratorError
from gateway.bodies import Held
from gateway.calls import Identified
from gateway.edge.asgi import Receive
from gateway.edge.callers import reader
from gateway.edge.completions import Keep
from gateway.edge.model_query import parameters
from gateway.edge.request import Request
from gateway.edge.response import Response
from providers.card_filters import refuse_unknown, single, whole_number
from providers.wire.responses.history import response_within, stored_of, with_history
from providers.wire.responses.kept_items import Order, list_items
from providers.wire.shapes import ChatRequest
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)

# `include` asks for what only a vendor's own tools have.
PARAMETERS: Final = ("limit", "order", "after", "include", "include[]")
USUAL_PAGE: Final = 20
LARGEST_PAGE: Final = 100
ORDERS: Final = ("asc", "desc")


async def remembered(
    services: "Services", identified: Identified, asked: ChatRequest, held: Held
) -> tuple[ChatRequest, Keep | None]:
    """The request with the response that it follows; and how to keep its own, unless `store` is false.

    Raises InvalidRequest for a `previous_response_id` that names none of the tenant's; RateLimited and Unavailable,
    also when too much is held in memory.
    """
    tenant = identified.config.identity.tenant
    if previous := read_text(asked, "previous_response_id"):
        try:
            stored = await services.responses.find(tenant, previous)
        except NotFound:
            raise InvalidRequest(
                f"Previous response with id {previous[:80]!a} not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            ) from None
        # It takes as much room as if it had been sent again.
        held.add(len(stored.items) + len(stored.response))
        asked = with_history(asked, stored)
    if bytes(asked.fields.get("store", b"")) == b"false":
        return asked, None
    return asked, keeping(services, identified, asked)


def keeping(services: "Services", identified: Identified, asked: ChatRequest) -> Keep:
    async def keep(written: bytes) -> None:
        """An answer that cannot be kept is given all the same."""
        answer = response_within(written) if asked.stream else written
        if answer is None:
            return
        try:
            await services.responses.store(
                identified.config.identity.tenant,
                stored_of(asked, answer),
                api_key_id=identified.record.id,
                user_id=identified.record.user_id,
            )
        except OrchestratorError as error:
            log.warning("response_not_stored", code=error.code)

    return keep


def read_text(asked: ChatRequest, name: str) -> str:
    try:
        return msgspec.json.decode(asked.fields.get(name, b"null"), type=str | None) or ""
    except msgspec.DecodeError:
        raise InvalidRequest(f"'{name}' must be a string.", param=name, code="invalid_type") from None


async def get_or_delete(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """Raises NotFound for another tenant's."""
    caller = await reader(services, request, Scope.COMPLETIONS_WRITE)
    tenant = caller.config.identity.tenant
    if request.method == "DELETE":
        await services.responses.delete(tenant, request.name)
        gone = {"id": request.name, "object": "response", "deleted": True}
        await response.json(msgspec.json.encode(gone), [])
    else:
        await response.json((await services.responses.find(tenant, request.name)).response, [])


async def input_items(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """Raises NotFound for another tenant's, InvalidRequest naming the parameter."""
    caller = await reader(services, request, Scope.COMPLETIONS_WRITE)
    query = parameters(request.query)
    refuse_unknown(query, PARAMETERS)
    limit = whole_number(query, "limit", least=1, most=LARGEST_PAGE) or USUAL_PAGE
    order, after = single(query, "order") or "desc", single(query, "after")
    if order not in ORDERS:
        raise InvalidRequest("order must be asc or desc.", param="order")
    stored = await services.responses.find(caller.config.identity.tenant, request.name)
    await response.json(list_items(stored, limit=limit, order=cast(Order, order), after=after), [])
