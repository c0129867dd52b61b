"""What we read in an answer: an event of a stream or a whole completion, in OpenAI's shape and its dialects.

The usual shape is decoded typed, in a few microseconds. Servers that stray from it (content as a list of parts, counts
as floats) are read again without types: an answer is never lost over a field that we could not type.
(platform.openai.com/docs/api-reference/chat-streaming; docs.mistral.ai on thinking parts; docs.vllm.ai on
`reasoning_content`)
"""

from typing import Any

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.openai.errors import error_in_answer
from providers.wire.shapes import Chunk, Usage
from providers.wire.tokens import count


class Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct, gc=False):
    function: Function | None = None


class Words(msgspec.Struct, gc=False):
    """A delta of a stream or the message of a whole completion: they name their parts alike."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None


class Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: Words | None = None
    message: Words | None = None
    finish_reason: str | None = None
    text: str | None = None


class InputDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class ReportedUsage(msgspec.Struct, gc=False):
    """DeepSeek names what it found in its cache `prompt_cache_hit_tokens`, Moonshot `cached_tokens`."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None


class Answer(msgspec.Struct, gc=False):
    model: str | None = None
    choices: list[Choice] | None = None
    usage: ReportedUsage | None = None
    error: msgspec.Raw = msgspec.Raw()


ANSWER = msgspec.json.Decoder(Answer)
# Some servers send the field with every event.
NO_REASON = (None, "", "null")
NO_INPUT_DETAILS = InputDetails()
NO_OUTPUT_DETAILS = OutputDetails()


def read_answer(payload: bytes) -> Answer:
    """Raises UpstreamGarbled for bytes that are no JSON object."""
    try:
        return ANSWER.decode(payload)
    except msgspec.ValidationError:
        return read_strange(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is not JSON.") from None


def read_strange(payload: bytes) -> Answer:
    try:
        return read_leniently(payload)
    except RecursionError:
        raise UpstreamGarbled("The provider's answer is nested too deeply.") from None


def parse_response(body: bytes) -> Chunk:
    """A whole answer as one finished chunk.

    Raises UpstreamGarbled for bytes that are no answer, and the error inside an answer that carries one
    although its status was 200.
    """
    answer = read_answer(body)
    if failure := error_in_answer(answer.error):
        raise failure
    if not answer.choices:
        raise UpstreamGarbled("The provider's answer has no choices.")
    return Chunk(
        raw=body,
        text=text_of(answer.choices),
        model=answer.model,
        finish_reason=finish_reason_of(answer.choices),
        usage=None if answer.usage is None else usage_of(answer.usage),
        finished=True,
        done=True,
    )


def finish_reason_of(choices: list[Choice]) -> str | None:
    for choice in choices:
        if choice.finish_reason not in NO_REASON:
            return choice.finish_reason
    return None


def text_of(choices: list[Choice]) -> str:
    """All generated text. One choice with plain content, the usual case, costs no list."""
    if len(choices) == 1:
        words = choices[0].delta or choices[0].message
        if words is None:
            return choices[0].text or ""
        if is_plain(words):
            return words.content or ""
    return "".join(spoken_in(choice) for choice in choices)


def spoken_in(choice: Choice) -> str:
    words = choice.delta or choice.message
    return choice.text or "" if words is None else spoken(words)


def is_plain(words: Words) -> bool:
    return (
        words.tool_calls is None
        and words.reasoning_content is None
        and words.reasoning is None
        and words.refusal is None
        and words.function_call is None
    )


def spoken(words: Words) -> str:
    # Some servers send the same thought as `reasoning` and as `reasoning_content`.
    parts = [words.reasoning_content or words.reasoning or "", words.content or "", words.refusal or ""]
    parts.append(arguments_of(words.function_call))
    parts.extend(arguments_of(call.function) for call in words.tool_calls or ())
    return "".join(parts)


def arguments_of(function: Function | None) -> str:
    return "" if function is None else (function.name or "") + (function.arguments or "")


def usage_of(reported: ReportedUsage) -> Usage | None:
    """None where nothing is counted. Parts are kept within their totals, so that a mistaken report cannot make a
    negative price."""
    if reported.prompt_tokens is None and reported.completion_tokens is None:
        return None
    taken = reported.prompt_tokens_details or NO_INPUT_DETAILS
    given = reported.completion_tokens_details or NO_OUTPUT_DETAILS
    input_tokens = count(reported.prompt_tokens)
    output_tokens, reasoning = output_of(reported, input_tokens, count(given.reasoning_tokens))
    found = count(taken.cached_tokens) or count(reported.prompt_cache_hit_tokens) or count(reported.cached_tokens)
    cached = min(found, input_tokens)
    written = min(count(taken.cache_write_tokens), input_tokens - cached)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(reasoning, output_tokens),
        input_audio_tokens=min(count(taken.audio_tokens), input_tokens - cached - written),
        output_audio_tokens=min(count(given.audio_tokens), output_tokens),
    )


def output_of(reported: ReportedUsage, input_tokens: int, reasoning: int) -> tuple[int, int]:
    """All that was generated, and the thought in it.

    xAI and Gemini's compatible endpoint count the thought in the total alone, beside the completion
    (docs.x.ai/docs/key-information/consumption-and-rate-limits); Gemini's does not even name it.
    """
    output_tokens = count(reported.completion_tokens)
    beside = count(reported.total_tokens) - input_tokens - output_tokens
    if beside > 0 and reasoning in (0, beside):
        return output_tokens + beside, beside
    return output_tokens, reasoning


def read_leniently(payload: bytes) -> Answer:
    """The same without expectations: what has the right kind is taken, the rest is nothing."""
    try:
        loose = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is not JSON.") from None
    if not isinstance(loose, dict):
        raise UpstreamGarbled("The provider sent JSON that is not an object.")
    choices = loose.get("choices")
    usage = loose.get("usage")
    failure = loose.get("error")
    return Answer(
        model=string(loose.get("model")),
        choices=[loose_choice(each) for each in choices if isinstance(each, dict)]
        if isinstance(choices, list)
        else None,
        usage=loose_usage(usage) if isinstance(usage, dict) else None,
        error=msgspec.Raw() if failure is None else msgspec.Raw(msgspec.json.encode(failure)),
    )


def loose_choice(loose: dict[str, Any]) -> Choice:
    words = loose.get("delta") or loose.get("message")
    return Choice(
        index=number(loose.get("index")) or 0,
        delta=loose_words(words) if isinstance(words, dict) else None,
        finish_reason=string(loose.get("finish_reason")),
        text=flattened(loose.get("text")),
    )


def loose_words(loose: dict[str, Any]) -> Words:
    calls = loose.get("tool_calls")
    return Words(
        content=flattened(loose.get("content")),
        refusal=string(loose.get("refusal")),
        reasoning_content=flattened(loose.get("reasoning_content") or loose.get("reasoning")),
        tool_calls=[ToolCall(loose_function(call.get("function"))) for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else None,
        function_call=loose_function(loose.get("function_call")),
    )


def loose_function(loose: Any) -> Function | None:
    if not isinstance(loose, dict):
        return None
    arguments = loose.get("arguments")
    if isinstance(arguments, dict | list):
        arguments = msgspec.json.encode(arguments).decode()
    return Function(name=string(loose.get("name")), arguments=string(arguments))


def flattened(content: Any) -> str | None:
    """Text of a string, or of the text and thinking parts in a list, nested as Mistral nests them."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return flattened(content.get("text") or content.get("thinking") or content.get("content"))
    if isinstance(content, list):
        return "".join(flattened(part) or "" for part in content)
    return None


def loose_usage(loose: dict[str, Any]) -> ReportedUsage:
    taken, given = loose.get("prompt_tokens_details"), loose.get("completion_tokens_details")
    taken = taken if isinstance(taken, dict) else {}
    given = given if isinstance(given, dict) else {}
    return ReportedUsage(
        prompt_tokens=number(loose.get("prompt_tokens")),
        completion_tokens=number(loose.get("completion_tokens")),
        total_tokens=number(loose.get("total_tokens")),
        prompt_cache_hit_tokens=number(loose.get("prompt_cache_hit_tokens")),
        cached_tokens=number(loose.get("cached_tokens")),
        prompt_tokens_details=InputDetails(
            number(taken.get("cached_tokens")),
            number(taken.get("audio_tokens")),
            number(taken.get("cache_write_tokens")),
        ),
        completion_tokens_details=OutputDetails(
            number(given.get("reasoning_tokens")), number(given.get("audio_tokens"))
        ),
    )


def string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 1 << 62 else None
