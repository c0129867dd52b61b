"""POST /v1/responses as callers speak it (platform.openai.com/docs/api-reference/responses)."""

from common.errors import OrchestratorError
from providers.wire.neutral import Answer, Prompt
from providers.wire.openai.words import error_body
from providers.wire.ports import Renderer
from providers.wire.responses.faults import error_event
from providers.wire.responses.prompt import prompt_of
from providers.wire.responses.renderer import ResponsesRenderer, render_answer
from providers.wire.responses.request import parse_responses_request
from providers.wire.shapes import ChatRequest, Dialect


class ResponsesSpeech:
    name: Dialect = "responses"

    def parse_request(self, body: bytes) -> ChatRequest:
        return parse_responses_request(body)

    def prompt_of(self, request: ChatRequest) -> Prompt:
        return prompt_of(request)

    def render_answer(self, answer: Answer, request: ChatRequest) -> bytes:
        return render_answer(answer, request)

    def renderer(self, request: ChatRequest) -> Renderer:
        return ResponsesRenderer(request)

    def error_body(self, error: OrchestratorError) -> bytes:
        return error_body(error)

    def error_event(self, error: OrchestratorError) -> bytes:
        return error_event(error)
