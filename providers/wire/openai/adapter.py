"""The OpenAI wire as four functions. What the caller wrote goes to the vendor as written, but for the model's name
and, in a stream, the request to report usage."""

from collections.abc import Mapping

import msgspec

from common.errors import OrchestratorError
from providers.wire.openai.errors import parse_error
from providers.wire.openai.response import parse_response
from providers.wire.openai.stream import OpenAIStream
from providers.wire.shapes import ChatRequest, Chunk, Dialect, Secret, StreamParser, Target, UpstreamRequest

ENCODER = msgspec.json.Encoder()


class OpenAIWire:
    name = "openai"

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("authorization", Secret(f"Bearer {secret}")),)

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        fields: dict[str, object] = dict(request.fields)
        fields["model"] = target.model
        if request.stream and not request.include_usage:
            fields["stream_options"] = {**request.stream_options, "include_usage": True}
        return UpstreamRequest(
            url=f"{target.base_url}/chat/completions",
            headers=target.headers,
            body=ENCODER.encode(fields),
            stream=request.stream,
        )

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        return parse_response(body)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        return OpenAIStream(choices=request.choices)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)
