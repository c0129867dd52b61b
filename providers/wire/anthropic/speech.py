"""What callers of POST /v1/messages speak (platform.claude.com/docs/en/api/messages)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from common.errors import OrchestratorError
from providers.wire.anthropic import prompt
from providers.wire.anthropic.faults import error_body, error_event
from providers.wire.anthropic.render import render_answer
from providers.wire.anthropic.renderer import MessagesRenderer
from providers.wire.fields import parse_object, too_deep
from providers.wire.named import with_model
from providers.wire.neutral import Answer, Prompt
from providers.wire.places import FLAG, ITEMS, OBJECT, TEXT, WHOLE, missing, refused, wrong_kind
from providers.wire.shapes import ChatRequest, Dialect


class Turn(msgspec.Struct):
    role: str
    content: msgspec.Raw


TURNS: Final = msgspec.json.Decoder(list[Turn])


class MessagesSpeech:
    """Only what routing, metering and limits need is read at first; every field stays the caller's own JSON text."""

    name: Dialect = "messages"

    def parse_request(self, body: bytes) -> ChatRequest:
        """Raises InvalidRequest naming the field by its path."""
        try:
            return read_request(body, with_model(parse_object(body)), limited=True)
        except RecursionError:
            raise too_deep() from None

    def parse_count_request(self, body: bytes) -> ChatRequest:
        """The same for /v1/messages/count_tokens, where neither `max_tokens` nor `stream` has a meaning."""
        try:
            return read_request(body, with_model(parse_object(body)), limited=False)
        except RecursionError:
            raise too_deep() from None

    def prompt_of(self, request: ChatRequest) -> Prompt:
        return prompt.prompt_of(request)

    def render_answer(self, answer: Answer, request: ChatRequest) -> bytes:
        return render_answer(answer, request)

    def render_count(self, input_tokens: int) -> bytes:
        return msgspec.json.encode({"input_tokens": input_tokens})

    def renderer(self, request: ChatRequest) -> MessagesRenderer:
        return MessagesRenderer(request)

    def error_body(self, error: OrchestratorError) -> bytes:
        return error_body(error)

    def error_event(self, error: OrchestratorError) -> bytes:
        return error_event(error)


def read_request(body: bytes, fields: dict[str, msgspec.Raw], *, limited: bool) -> ChatRequest:
    model = model_of(fields)
    check_messages(fields)
    return ChatRequest(
        model=model,
        stream=limited and "stream" in fields and FLAG.read(fields["stream"], "stream"),
        include_usage=True,
        max_output_tokens=limit_of(fields) if limited else None,
        choices=1,
        fields=fields,
        input_bytes=len(body),
        dialect="messages",
    )


def model_of(fields: Mapping[str, msgspec.Raw]) -> str:
    if "model" not in fields:
        raise missing("model")
    model = TEXT.read(fields["model"], "model")
    if not model.strip():
        raise refused("model", "String should have at least 1 character")
    return model


def limit_of(fields: Mapping[str, msgspec.Raw]) -> int:
    """0 is a limit too: it asks Anthropic to read the prompt into its cache."""
    if "max_tokens" not in fields:
        raise missing("max_tokens")
    limit = WHOLE.read(fields["max_tokens"], "max_tokens")
    if limit < 0:
        raise refused("max_tokens", "Input should be greater than or equal to 0")
    return limit


def check_messages(fields: Mapping[str, msgspec.Raw]) -> None:
    if "messages" not in fields:
        raise missing("messages")
    try:
        turns = TURNS.decode(fields["messages"])
    except msgspec.DecodeError:
        name_fault(fields["messages"])
        raise wrong_kind("messages", "a valid list of messages") from None
    if not turns:
        raise refused("messages", "at least one message is required")


def name_fault(messages: msgspec.Raw) -> None:
    """Raises InvalidRequest for the first message that is none."""
    for index, raw in enumerate(ITEMS.read(messages, "messages")):
        path = f"messages.{index}"
        turn = OBJECT.read(raw, path)
        for field in ("role", "content"):
            if field not in turn:
                raise missing(f"{path}.{field}")
        TEXT.read(turn["role"], f"{path}.role")
