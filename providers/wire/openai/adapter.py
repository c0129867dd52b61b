"""The OpenAI wire as pure functions. To callers of its own dialects bytes pass through; for all others it is written
from a Prompt, and read as events."""

from collections.abc import Mapping

from common.errors import OrchestratorError
from providers.wire.neutral import Answer, Prompt
from providers.wire.openai.build import build_request
from providers.wire.openai.compose import build_prompt
from providers.wire.openai.errors import parse_error
from providers.wire.openai.events import OpenAIEvents, read_answer
from providers.wire.openai.response import parse_response
from providers.wire.openai.stream import OpenAIStream
from providers.wire.openai.tasks import TaskStream, parse_task_response
from providers.wire.ports import EventParser
from providers.wire.shapes import ChatRequest, Chunk, Dialect, Secret, StreamParser, Target, UpstreamRequest
from providers.wire.sse import Flat

COMPLETIONS: frozenset[Dialect] = frozenset(("chat", "completions"))
TASKS: frozenset[Dialect] = frozenset(
    ("embeddings", "moderations", "images", "transcriptions", "speech", "rerank"),
)


class OpenAIWire:
    name = "openai"
    native = COMPLETIONS | TASKS

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("authorization", Secret(f"Bearer {secret}")),)

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        return build_request(request, target)

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        return parse_task_response(body, dialect) if dialect in TASKS else parse_response(body)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        if request.dialect not in TASKS:
            return OpenAIStream(choices=request.choices)
        return TaskStream()

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        return build_prompt(prompt, target, stream=stream)

    def read_answer(self, body: bytes) -> Answer:
        return read_answer(body)

    def read_stream(self, prompt: Prompt) -> EventParser:
        return Flat(OpenAIEvents())

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)
