"""POST /v1/messages/count_tokens (platform.claude.com/docs/en/api/messages-count-tokens)."""

import asyncio
from typing import TYPE_CHECKING, Final

from common.errors import OrchestratorError
from gateway.admitting import admit
from gateway.bodies import Held
from gateway.calls import Identified
from gateway.deadline import Deadline
from gateway.edge.asgi import Receive
from gateway.edge.callers import with_body
from gateway.edge.limits_shown import limit_headers
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.estimates import estimated_input_tokens
from gateway.prompts import uncounted
from gateway.wanted import Named, one, wanted
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.anthropic.count import read_count
from providers.wire.anthropic.speech import MessagesSpeech
from providers.wire.shapes import ChatRequest, Target, Usage

if TYPE_CHECKING:
    from gateway.services import Services

SPEECH: Final = MessagesSpeech()
ANTHROPIC: Final = AnthropicWire()
NO_SUCH_ENDPOINT: Final = (404, 405, 501)


async def count_tokens(services: "Services", request: Request, receive: Receive, response: Response) -> None:
    """By the vendor where it has such an endpoint, which is free of charge; else offline, as an estimate."""

    async def work(identified: Identified, body: bytes, held: Held) -> None:
        asked, _ = wanted(SPEECH.parse_count_request(body))
        caller = await admit(services, identified)
        chosen = await one(services.configs, caller, Named(asked.model, "model"))
        target = chosen.targets[0]
        asking = counted_there if target.wire == ANTHROPIC.name else counted_here
        async with Deadline(services.settings.request_timeout):
            tokens = await asking(services, asked, target)
        await response.json(SPEECH.render_count(tokens), limit_headers(caller.admitted))

    await with_body(services, request, receive, response, work)


async def counted_there(services: "Services", asked: ChatRequest, target: Target) -> int:
    """Servers that only speak like Anthropic may not have the endpoint. Raises UpstreamError."""
    sent = ANTHROPIC.build_count(asked, target)
    async with services.upstream.send(sent, target.deadlines, scope=target.provider_scope) as answer:
        if answer.status in NO_SUCH_ENDPOINT:
            return await counted_here(services, asked, target)
        if not 200 <= answer.status < 300:
            failure: OrchestratorError = ANTHROPIC.parse_error(answer.status, answer.headers, await answer.read_error())
            raise failure
        return read_count(await answer.read())


async def counted_here(services: "Services", asked: ChatRequest, target: Target) -> int:
    counted: asyncio.Future[Usage] = asyncio.get_running_loop().create_future()

    def keep(usage: Usage, exact: bool) -> None:
        if not counted.done():
            counted.set_result(usage)

    services.counter.count(uncounted(asked, target.model, estimated_input_tokens(asked)), keep)
    return (await counted).input_tokens
