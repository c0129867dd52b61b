"""POST /v1/chat/completions (platform.openai.com/docs/api-reference/chat/create)."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway import metrics
from gateway.admitting import identify
from gateway.bodies import Held
from gateway.calls import Call
from gateway.deadline import Deadline
from gateway.edge.asgi import ClientGone, Receive
from gateway.edge.body import check_content_type, check_length, read_body, too_slow
from gateway.edge.credentials import presented_key
from gateway.edge.hang_up import HangUp
from gateway.edge.limits_shown import limit_headers
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.pipeline import Answer, answer
from providers.wire.openai.request import parse_chat_request
from providers.wire.shapes import Chunk
from tenants.scopes import Scope

if TYPE_CHECKING:
    from gateway.services import Services

DONE = b"data: [DONE]\n\n"


async def chat_completions(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """Raises every OrchestratorError of the way, before or after the response has begun.

    The key is looked at before the body is read: a stranger's gigabytes stay outside.
    """
    headers: Mapping[bytes, bytes] = request.headers
    identified = await identify(services, presented_key(headers), request.host, Scope.COMPLETIONS_WRITE)
    check_content_type(headers)
    check_length(headers, services.settings.most_body_bytes)
    with Held(services.bodies, identified.config.tenant_id) as held:
        async with Deadline(services.settings.body_timeout, too_slow):
            body = await read_body(receive, services.settings.most_body_bytes, held)
        with services.running:
            call = Call(request.id, identified, parse_chat_request(body), request.began)
            await answer_call(services, call, receive, response)


async def answer_call(services: "Services", call: Call, receive: Receive, response: Response) -> None:
    hang_up = HangUp(receive)
    hang_up.watch()
    try:
        async with answer(services, call) as answering:
            if call.request.stream:
                await send_events(answering, response, hang_up)
            else:
                await send_whole(answering, response, hang_up)
    except asyncio.CancelledError:
        if not hang_up.gone:
            raise
        raise ClientGone from None
    finally:
        hang_up.stop()


async def send_whole(answering: Answer, response: Response, hang_up: HangUp) -> None:
    body = b"".join([chunk.raw async for batch in answering for chunk in batch])
    hang_up.stop()
    await response.json(body, limit_headers(answering.caller.admitted))


async def send_events(answering: Answer, response: Response, hang_up: HangUp) -> None:
    """Events as they came, those of one read from the network in one write; [DONE] is ours when it did not come."""
    done = False
    metrics.ACTIVE_STREAMS.inc()
    try:
        await response.begin_events(limit_headers(answering.caller.admitted))
        async for batch in answering:
            done = batch[-1].done
            if not done:
                await response.write(joined(batch))
                continue
            hang_up.stop()
            await response.end(joined(batch))
        if not done:
            hang_up.stop()
            await response.end(DONE)
    finally:
        metrics.ACTIVE_STREAMS.dec()


def joined(batch: list[Chunk]) -> bytes:
    return batch[0].raw if len(batch) == 1 else b"".join([chunk.raw for chunk in batch])
