"""An answer of /api/chat, whole or a line of a stream: both have one shape (docs.ollama.com/api/chat).

Ollama tells no ids, nor which of the generated tokens were thought; where it counted none in a cached prompt, older
versions leave the count out. `logprobs` are those of a whole answer's thought too.
"""

from datetime import datetime

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.calls import arguments_text, made_id
from providers.wire.lenient import read_as
from providers.wire.neutral import Answer, Choice, Finish, Part, Text, Thinking, ToolCall
from providers.wire.ollama.errors import broken_off
from providers.wire.pictures import markdown_picture
from providers.wire.shapes import Usage
from providers.wire.tokens import count


class Function(msgspec.Struct, gc=False):
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()


class Call(msgspec.Struct, gc=False):
    function: Function = msgspec.field(default_factory=Function)
    id: str | None = None


class Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    images: list[str] | None = None


class Line(msgspec.Struct, gc=False):
    """`error` stands alone, in place of everything else."""

    model: str | None = None
    created_at: str | None = None
    message: Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


LINE = msgspec.json.Decoder(Line)


def read_line(encoded: bytes) -> Line:
    """Raises UpstreamGarbled for bytes that are no line of Ollama's, and the error that one carries."""
    try:
        encoded.decode()
        line = read_as(LINE, encoded)
        failure = broken_off(line.error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is no answer of Ollama's.") from None
    if failure is not None:
        raise failure
    return line


def read_answer(body: bytes) -> Answer:
    """Raises UpstreamGarbled for bytes that are no answer, and the error inside one that carries it."""
    line = read_line(body)
    if line.message is None or not line.done:
        raise UpstreamGarbled("The provider's answer holds no finished message.")
    parts = parts_of(line, 0)
    called = any(isinstance(part, ToolCall) for part in parts)
    choice = Choice(parts=parts, finish=finish_of(line, called), logprobs=logprobs_of(line))
    return Answer(choices=(choice,), model=line.model or "", usage=usage_of(line), created=created_of(line))


def parts_of(line: Line, calls: int) -> tuple[Part, ...]:
    """What a line says, in the order that Ollama writes it. `calls` is how many came in lines before."""
    message = line.message
    if message is None:
        return ()
    parts: list[Part] = []
    if message.thinking:
        parts.append(Thinking(text=message.thinking))
    text = (message.content or "") + "".join(markdown_picture(encoded) for encoded in message.images or ())
    if text:
        parts.append(Text(text=text))
    for number, call in enumerate(message.tool_calls or (), calls):
        parts.append(tool_call(call, line.created_at or "", number))
    return tuple(parts)


def tool_call(call: Call, created: str, number: int) -> ToolCall:
    """Older versions give calls no id."""
    try:
        arguments = arguments_text(call.function.arguments)
    except msgspec.DecodeError:
        raise UpstreamGarbled("The provider sent a call whose arguments cannot be read.") from None
    made = call.id or made_id(created, str(number), call.function.name, arguments)
    return ToolCall(id=made, name=call.function.name, arguments=arguments)


def finish_of(line: Line, called: bool) -> Finish:
    """`load` and `unload` answer an empty prompt; a call of a function is a `stop` like any other."""
    if line.done_reason == "length":
        return "length"
    return "tool_calls" if called else "stop"


def usage_of(line: Line) -> Usage | None:
    if line.prompt_eval_count is None and line.eval_count is None:
        return None
    return Usage(input_tokens=count(line.prompt_eval_count), output_tokens=count(line.eval_count))


def logprobs_of(line: Line) -> msgspec.Raw | None:
    """Ollama's list is OpenAI's `content`."""
    encoded = bytes(line.logprobs)
    return None if encoded in (b"", b"null", b"[]") else msgspec.Raw(b'{"content":' + encoded + b"}")


def created_of(line: Line) -> int:
    try:
        return int(datetime.fromisoformat(line.created_at or "").timestamp())
    except (ValueError, OverflowError):
        return 0
