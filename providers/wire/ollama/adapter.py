"""Ollama's own chat API (docs.ollama.com/api/chat): one JSON object, or one a line."""

from collections.abc import Mapping

from common.errors import OrchestratorError
from providers.wire.neutral import Answer, Prompt
from providers.wire.ollama.answer import read_answer
from providers.wire.ollama.build import build_prompt
from providers.wire.ollama.errors import parse_error
from providers.wire.ollama.stream import OllamaStream
from providers.wire.only_translated import OnlyTranslated
from providers.wire.ports import EventParser
from providers.wire.shapes import Secret, Target, UpstreamRequest


class OllamaWire(OnlyTranslated):
    name = "ollama"

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        """A server of one's own asks for none; ollama.com and proxies do."""
        return (("authorization", Secret(f"Bearer {secret}")),) if secret else ()

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        return build_prompt(prompt, target, stream=stream)

    def read_answer(self, body: bytes) -> Answer:
        return read_answer(body)

    def read_stream(self, prompt: Prompt) -> EventParser:
        return OllamaStream()

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)
