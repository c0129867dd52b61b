"""APIs that speak none of our wires, by expressions in a template: no code, and nothing of the vendor's in ours.

`quirks.request` makes the vendor's body of a chat completion request, `quirks.response` a chat completion of the
vendor's answer, and `quirks.stream_response` of each event of a stream. Without the last, an answer comes whole and is
told as a stream to callers who asked for one. An empty expression leaves what it would change as it is.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from common.errors import InvalidRequest, OrchestratorError, UpstreamGarbled
from providers.wire.custom.completion import completion_of
from providers.wire.custom.expressions import EvaluationFailed, Expression, ExpressionInvalid, expression
from providers.wire.custom.stream import CustomStream
from providers.wire.neutral import Answer, Losses, Prompt
from providers.wire.only_translated import OnlyTranslated
from providers.wire.openai.compose import NAMES, build_prompt
from providers.wire.openai.errors import parse_error
from providers.wire.openai.events import decoded, read_answer
from providers.wire.ports import EventParser
from providers.wire.shapes import NO_QUIRKS, Quirks, Secret, Target, UpstreamRequest

LARGEST_BODY: Final = 16 * 1024 * 1024
# What a request may do without: the vendor's address can say it as well.
UNSAID: Final = frozenset(("model", "messages", "stream", "stream_options"))
AS_IT_IS: Final = "@"


class CustomWire(OnlyTranslated):
    """For one provider: its `quirks` say how an answer is read."""

    name = "custom"

    def __init__(self, quirks: Quirks = NO_QUIRKS) -> None:
        self._quirks = quirks

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("authorization", Secret(f"Bearer {secret}")),)

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        streamed = stream and bool(target.quirks.stream_response)
        built = build_prompt(prompt, target, stream=streamed)
        if not target.quirks.request:
            return built
        if len(built.body) > LARGEST_BODY:
            raise InvalidRequest(f"'{target.model}' takes requests of {LARGEST_BODY} bytes at most.")
        fields = decoded(built.body)
        made = read(target.quirks.request)
        losses = Losses(prompt, target.model, drop=target.drop_params)
        for name in fields.keys() - (fields.keys() if made.used is None else made.used) - UNSAID:
            losses.lose(NAMES.get(name, name))
        dropped = (*built.dropped, *sorted(losses.dropped))
        return msgspec.structs.replace(built, body=self._body(made, fields, target), dropped=dropped)

    def _body(self, made: Expression, fields: dict[str, Any], target: Target) -> bytes:
        try:
            body = made.apply(fields)
        except EvaluationFailed as failure:
            raise InvalidRequest(f"The template of '{target.provider}' does not fit this request: {failure}.") from None
        if not isinstance(body, (dict, list)):
            raise InvalidRequest(f"The template of '{target.provider}' makes no body of this request.")
        return msgspec.json.encode(body)

    def read_answer(self, body: bytes) -> Answer:
        if len(body) > LARGEST_BODY:
            raise UpstreamGarbled(f"The provider's answer has more than {LARGEST_BODY} bytes.")
        try:
            said = read(self._quirks.response or AS_IT_IS).apply(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamGarbled("The provider sent something that is not JSON.") from None
        except EvaluationFailed as failure:
            raise UpstreamGarbled(f"The template's response does not fit the answer: {failure}.") from None
        if not isinstance(said, dict):
            raise UpstreamGarbled("The template's response makes no object of the answer.")
        return read_answer(msgspec.json.encode(completion_of(said, "message")))

    def read_stream(self, prompt: Prompt) -> EventParser:
        return CustomStream(read(self._quirks.stream_response or AS_IT_IS))

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)


def read(text: str) -> Expression:
    """Raises InvalidRequest for one that was stored before it was checked."""
    try:
        return expression(text)
    except ExpressionInvalid as fault:
        raise InvalidRequest(f"The provider's template has an expression that cannot be read: {fault}.") from None
