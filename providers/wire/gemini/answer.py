"""An answer of generateContent in no vendor's words.

A prompt that was blocked has no candidate: it is an answer without words that a content filter finished, so that
every dialect has a word for it and its usage is counted.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import uuid4

import msgspec

from common.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from providers.wire.calls import arguments_text, made_id
from providers.wire.faults import presentable
from providers.wire.gemini import shapes
from providers.wire.gemini.shapes import Candidate, Logprobs, Reply, Token, read_reply
from providers.wire.gemini.usage import usage_of
from providers.wire.neutral import Answer, Choice, Finish, Part, Text, Thinking, ToolCall
from providers.wire.pictures import markdown_picture

NO_REASON = (None, "", "FINISH_REASON_UNSPECIFIED")
# The model failed at its own task. Its answer is no whole one, nor was it filtered: another try may well succeed.
FAILURES = {
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
}


def read_answer(body: bytes) -> Answer:
    """Raises UpstreamGarbled for bytes that are no answer, and the error inside one that carries it."""
    reply = read_reply(body)
    answer_id = reply.response_id or uuid4().hex
    choices = tuple(choice_of(candidate, index, answer_id) for candidate, index in numbered(reply))
    if is_blocked(reply):
        choices = (Choice(parts=(), finish="content_filter"),)
    if not choices:
        raise UpstreamGarbled("The provider's answer has no candidates.")
    return Answer(
        choices=choices,
        id=reply.response_id or "",
        model=reply.model_version or "",
        usage=usage_of(reply.usage_metadata),
        created=created_of(reply),
    )


def is_blocked(reply: Reply) -> bool:
    return not reply.candidates and reply.prompt_feedback is not None and bool(reply.prompt_feedback.block_reason)


def numbered(reply: Reply) -> Iterator[tuple[Candidate, int]]:
    """Candidates with their index, which Google leaves out where it is 0."""
    for position, candidate in enumerate(reply.candidates or ()):
        yield candidate, position if candidate.index is None else candidate.index


def choice_of(candidate: Candidate, index: int, answer_id: str) -> Choice:
    if candidate.finish_reason in NO_REASON:
        raise UpstreamGarbled("The provider's answer is not finished.")
    if failure := failure_of(candidate):
        raise failure
    parts = tuple(joined(parts_of(candidate, f"{answer_id}.{index}", 0)))
    called = any(isinstance(part, ToolCall) for part in parts)
    logprobs = logprobs_of(candidate)
    return Choice(parts=parts, finish=finish_of(candidate, called), index=index, logprobs=logprobs)


def parts_of(candidate: Candidate, choice_id: str, calls: int) -> Iterator[Part]:
    """What a candidate says; `calls` is how many it made in events before. Raises UpstreamGarbled for odd arguments.

    Older models give calls no id: it is made of `choice_id`, which no other answer has. Where a text carries a
    signature, it follows as a thought without words, which `contents` puts back onto the text.
    """
    for part in (candidate.content and candidate.content.parts) or ():
        if part.text and not (part.thought or part.thought_signature or part.function_call or part.inline_data):
            # The usual part, somewhat sooner.
            yield Text(text=part.text)
            continue
        signature = part.thought_signature or ""
        if part.function_call is not None:
            name, arguments = part.function_call.name, arguments_of(part.function_call)
            made = part.function_call.id or made_id(choice_id, str(calls))
            yield ToolCall(id=made, name=name, arguments=arguments, signature=signature)
            calls += 1
        elif part.thought and (part.text or signature):
            yield Thinking(text=part.text or "", signature=signature)
        elif not part.thought:
            if text := words_of(part):
                yield Text(text=text)
            if signature:
                yield Thinking(text="", signature=signature)


def words_of(part: shapes.Part) -> str:
    if part.inline_data is not None:
        return markdown_picture(part.inline_data.encoded, part.inline_data.mime_type)
    return part.text or ""


def arguments_of(call: shapes.FunctionCall) -> str:
    try:
        return arguments_text(call.args)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamGarbled("The provider sent a call whose arguments cannot be read.") from None


def joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Texts in a row as one, and thoughts until the one that is signed, as a stream's deltas are read."""
    last: Part | None = None
    for part in parts:
        if isinstance(last, Text) and isinstance(part, Text):
            last = Text(text=last.text + part.text)
        elif isinstance(last, Thinking) and isinstance(part, Thinking) and not last.signature:
            last = Thinking(text=last.text + part.text, signature=part.signature)
        else:
            if last is not None:
                yield last
            last = part
    if last is not None:
        yield last


def finish_of(candidate: Candidate, called: bool) -> Finish:
    """All that is neither an end nor a full answer is Google's own doing: filters, and reasons that it keeps open.

    Google ends a call with STOP; FUNCTION_CALL is a word of servers that resemble it.
    """
    match candidate.finish_reason:
        case "STOP" | "FUNCTION_CALL":
            return "tool_calls" if called else "stop"
        case "MAX_TOKENS":
            return "length"
        case _:
            return "content_filter"


def failure_of(candidate: Candidate) -> UpstreamError | None:
    reason = candidate.finish_reason
    if reason not in FAILURES:
        return None
    told = presentable(candidate.finish_message or reason)
    return UpstreamRefused(f"The model broke off its answer: {told}", code=reason.lower())


def logprobs_of(candidate: Candidate) -> msgspec.Raw | None:
    """In OpenAI's shape."""
    result = candidate.logprobs_result
    if result is None or not result.chosen_candidates:
        return None
    content = [
        {**token_of(chosen), "top_logprobs": [token_of(other) for other in others]}
        for chosen, others in zip(result.chosen_candidates, alternatives(result), strict=False)
    ]
    return msgspec.Raw(msgspec.json.encode({"content": content}))


def alternatives(result: Logprobs) -> Iterator[list[Token]]:
    """For every position, and empty ones for as many as may be asked."""
    for top in result.top_candidates or ():
        yield top.candidates or []
    while True:
        yield []


def token_of(token: Token) -> dict[str, object]:
    return {"token": token.token, "logprob": token.log_probability, "bytes": list(token.token.encode())}


def created_of(reply: Reply) -> int:
    """Vertex AI alone says when."""
    try:
        return int(datetime.fromisoformat(reply.create_time or "").timestamp())
    except (ValueError, OverflowError):
        return 0
