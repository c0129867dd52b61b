"""POST /v1/chat/completions as callers speak it."""

from common.errors import OrchestratorError
from providers.wire.neutral import Answer, Prompt
from providers.wire.openai.prompt import prompt_of
from providers.wire.openai.render import ChatRenderer, render_answer
from providers.wire.openai.request import parse_chat_request
from providers.wire.openai.words import error_body, error_event
from providers.wire.ports import Renderer
from providers.wire.shapes import ChatRequest, Dialect


class ChatSpeech:
    name: Dialect = "chat"

    def parse_request(self, body: bytes) -> ChatRequest:
        return parse_chat_request(body)

    def prompt_of(self, request: ChatRequest) -> Prompt:
        return prompt_of(request)

    def render_answer(self, answer: Answer, request: ChatRequest) -> bytes:
        return render_answer(answer, request)

    def renderer(self, request: ChatRequest) -> Renderer:
        return ChatRenderer(request)

    def error_body(self, error: OrchestratorError) -> bytes:
        return error_body(error)

    def error_event(self, error: OrchestratorError) -> bytes:
        return error_event(error)
