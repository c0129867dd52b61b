"""POST /v1/completions as callers speak it."""

from common.errors import OrchestratorError
from providers.wire.completions.render import CompletionsRenderer, render_answer
from providers.wire.completions.request import parse_completions_request, prompt_of
from providers.wire.fields import too_deep
from providers.wire.neutral import Answer, Prompt
from providers.wire.openai.words import error_body, error_event
from providers.wire.ports import Renderer
from providers.wire.shapes import ChatRequest, Dialect


class CompletionsSpeech:
    name: Dialect = "completions"

    def parse_request(self, body: bytes) -> ChatRequest:
        return parse_completions_request(body)

    def prompt_of(self, request: ChatRequest) -> Prompt:
        try:
            return prompt_of(request)
        except RecursionError:
            raise too_deep() from None

    def render_answer(self, answer: Answer, request: ChatRequest) -> bytes:
        return render_answer(answer, request)

    def renderer(self, request: ChatRequest) -> Renderer:
        return CompletionsRenderer(request)

    def error_body(self, error: OrchestratorError) -> bytes:
        return error_body(error)

    def error_event(self, error: OrchestratorError) -> bytes:
        return error_event(error)
