"""The Messages API as a wire (platform.claude.com/docs/en/api/messages)."""

from collections.abc import Mapping

import msgspec

from common.errors import OrchestratorError
from providers.wire.anthropic.answer import parse_response, read_answer
from providers.wire.anthropic.build import NAMES, body_of
from providers.wire.anthropic.count import countable
from providers.wire.anthropic.errors import parse_error
from providers.wire.anthropic.stream import AnthropicEvents, AnthropicStream
from providers.wire.endpoints import fitted, path_of, url_of
from providers.wire.neutral import Answer, Losses, Prompt
from providers.wire.ports import EventParser
from providers.wire.shapes import ChatRequest, Chunk, Dialect, Secret, StreamParser, Target, UpstreamRequest
from providers.wire.sse import Flat

VERSION = "2023-06-01"
# What a caller may decide of the headers; the credential's are the platform's.
CALLERS_HEADERS = {"anthropic-version", "anthropic-beta"}
ENCODER = msgspec.json.Encoder()
NOTHING_ASKED = Prompt(messages=())
NO_NAMES: Mapping[str, str] = {}


class AnthropicWire:
    name = "anthropic"
    native: frozenset[Dialect] = frozenset({"messages"})

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("x-api-key", Secret(secret)), ("anthropic-version", Secret(VERSION)))

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        """What the caller wrote, but for the model's name."""
        return passed_on(request, target, messages_url(target))

    def parse_response(self, body: bytes, dialect: Dialect = "messages") -> Chunk:
        return parse_response(body)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        return AnthropicStream()

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        losses = Losses(prompt, target.model, drop=target.drop_params)
        fields = body_of(prompt, target.model, losses)
        if stream:
            fields["stream"] = True
        return sent(fields, messages_url(target), target.headers, losses, target, stream=stream, names=NAMES)

    def read_answer(self, body: bytes) -> Answer:
        return read_answer(body)

    def read_stream(self, prompt: Prompt) -> EventParser:
        return Flat(AnthropicEvents())

    def build_count(self, asked: ChatRequest | Prompt, target: Target) -> UpstreamRequest:
        """Asks for the number of tokens of a request, which `count.read_count` reads."""
        url = url_of(target, count_path(target))
        if isinstance(asked, Prompt):
            losses = Losses(asked, target.model, drop=target.drop_params)
            fields = countable(body_of(asked, target.model, losses))
            return sent(fields, url, target.headers, losses, target, stream=False, names=NAMES)
        return passed_on(asked, target, url)


def passed_on(request: ChatRequest, target: Target, url: str) -> UpstreamRequest:
    losses = Losses(NOTHING_ASKED, target.model, drop=target.drop_params)
    fields: dict[str, object] = {**request.fields, "model": target.model}
    return sent(fields, url, headers_of(request, target), losses, target, stream=request.stream)


def sent(
    fields: dict[str, object],
    url: str,
    headers: tuple[tuple[str, Secret], ...],
    losses: Losses,
    target: Target,
    *,
    stream: bool,
    names: Mapping[str, str] = NO_NAMES,
) -> UpstreamRequest:
    if target.quirks.renamed or target.quirks.unsupported:
        fields = fitted(fields, target.quirks, losses, names)
    return UpstreamRequest(
        url=url, headers=headers, body=ENCODER.encode(fields), stream=stream, dropped=tuple(losses.dropped)
    )


def messages_path(target: Target) -> str:
    return path_of(target, "messages", target.quirks.paths.get("chat", "/messages"))


def messages_url(target: Target) -> str:
    return url_of(target, messages_path(target))


def count_path(target: Target) -> str:
    return target.quirks.paths.get("count_tokens") or f"{messages_path(target)}/count_tokens"


def headers_of(request: ChatRequest, target: Target) -> tuple[tuple[str, Secret], ...]:
    """The target's, with the caller's own where it may decide."""
    own = {name.lower(): Secret(value) for name, value in request.headers if name.lower() in CALLERS_HEADERS}
    if not own:
        return target.headers
    return (*((name, value) for name, value in target.headers if name.lower() not in own), *own.items())
