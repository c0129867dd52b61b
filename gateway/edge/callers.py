"""Who sends a request, and the body that comes with it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from gateway.admitting import admit, identify
from gateway.bodies import Held
from gateway.calls import Caller, Identified
from gateway.deadline import Deadline
from gateway.edge.asgi import Receive
from gateway.edge.body import JSON, check_content_type, check_length, read_body, too_slow
from gateway.edge.credentials import presented_key
from gateway.edge.idempotency import IDEMPOTENCY_KEY, AskedOnce
from gateway.edge.request import Request
from gateway.edge.response import Response
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services

Work = Callable[[Identified, bytes, Held], Awaitable[None]]


async def reader(services: "Services", request: Request, scope: Scope) -> Caller:
    """Who only reads is not held against the limit of requests."""
    identified = await identify(services, presented_key(request.headers), request.host, scope)
    return await admit(services, identified, limited=False)


async def with_body(
    services: "Services",
    request: Request,
    receive: Receive,
    response: Response,
    work: Work,
    *,
    kinds: tuple[bytes, ...] = JSON,
) -> None:
    """Does `work` with who asks and the body, of which the memory is counted meanwhile; once, where a key says so.

    The key is looked at before the body is read: a stranger's gigabytes stay outside.
    """
    headers, settings = request.headers, services.settings
    identified = await identify(services, presented_key(headers), request.host, Scope.COMPLETIONS_WRITE)
    check_content_type(headers, kinds)
    check_length(headers, settings.most_body_bytes)
    with Held(services.bodies, identified.config.tenant_id) as held:
        async with Deadline(settings.body_timeout, too_slow):
            body = await read_body(receive, settings.most_body_bytes, held)
        with services.running:
            key = headers.get(IDEMPOTENCY_KEY)
            if key is None:
                await work(identified, body, held)
            else:
                asked = AskedOnce(services, request, identified, body, held)
                await asked.answer(key, receive, response, partial(work, identified, body, held))
