"""Google's Gemini API (ai.google.dev/api/generate-content); Vertex AI by the paths of its template."""

from collections.abc import Mapping

from common.errors import OrchestratorError
from providers.wire.gemini.answer import read_answer
from providers.wire.gemini.build import build_prompt
from providers.wire.gemini.errors import parse_error
from providers.wire.gemini.stream import GeminiStream
from providers.wire.neutral import Answer, Prompt
from providers.wire.only_translated import OnlyTranslated
from providers.wire.ports import EventParser
from providers.wire.shapes import Secret, Target, UpstreamRequest
from providers.wire.sse import Flat


class GeminiWire(OnlyTranslated):
    name = "gemini"

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("x-goog-api-key", Secret(secret)),)

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        return build_prompt(prompt, target, stream=stream)

    def read_answer(self, body: bytes) -> Answer:
        return read_answer(body)

    def read_stream(self, prompt: Prompt) -> EventParser:
        return Flat(GeminiStream(prompt.choices))

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)
