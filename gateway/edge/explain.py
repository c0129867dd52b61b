"""POST /v1/routes/{name}/explain: whom a request would go to, and why, without calling anyone."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.errors import NotFound
from gateway.admitting import admit
from gateway.bodies import Held
from gateway.calls import Call, Identified
from gateway.edge.asgi import Receive
from gateway.edge.callers import with_body
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.explaining import explained
from gateway.wanted import understood
from gateway.wishes import wishes_of
from providers.wire.registry import SPEECHES

if TYPE_CHECKING:
    from gateway.services import Services

SPEECH: Final = SPEECHES["chat"]
ENCODE: Final = msgspec.json.Encoder().encode


async def explain_route(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """The body is a chat completion's; its `model` may be left out. Nothing is counted, and nothing recorded."""

    async def work(identified: Identified, body: bytes, held: Held) -> None:
        asked = SPEECH.parse_request(with_model(body, request.name))
        call = Call(request.id, identified, asked, request.began, wishes_of(request.headers))
        caller = await admit(services, identified, limited=False)
        call, resolution = await understood(services.configs, call, caller)
        route = resolution.route
        if route is None:
            raise NotFound(f"'{request.name[:200]}' is no route.", code="route_not_found")
        await response.json(ENCODE(explained(services, call, caller, resolution, route)), [])

    await with_body(services, request, receive, response, work)


def with_model(body: bytes, name: str) -> bytes:
    """A pattern is explained for the model that the request names. What cannot be read is for the parser to refuse."""
    try:
        fields: Any = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    if "*" not in name or "model" not in fields:
        fields["model"] = msgspec.Raw(msgspec.json.encode(name))
    return ENCODE(fields)
