"""Responses that are kept: the memory of POST /v1/responses, and GET and DELETE of one
(platform.openai.com/docs/api-reference/responses).
"""

from typing import TYPE_CHECKING

import msgspec
import structlog

from common.errors import InvalidRequest, NotFound, OrchestratorError
from gateway.bodies import Held
from gateway.calls import Identified
from gateway.edge.asgi import Receive
from gateway.edge.callers import reader
from gateway.edge.completions import Keep
from gateway.edge.request import Request
from gateway.edge.response import Response
from providers.wire.responses.history import response_within, stored_of, with_history
from providers.wire.shapes import ChatRequest
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)


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
