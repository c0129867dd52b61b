"""A request for a response as a prompt (platform.openai.com/docs/api-reference/responses/create)."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from common.errors import InvalidRequest
from providers.wire.fields import too_deep
from providers.wire.neutral import Format, Prompt, Reasoning
from providers.wire.places import FLAG, NUMBER, TEXT, TEXTS, WHOLE, refused, wrong_value
from providers.wire.responses.items import conversation
from providers.wire.responses.tools import tool_choice_of, tools_of
from providers.wire.responses.words import Place
from providers.wire.shapes import ChatRequest

KINDS: Final[Mapping[str, Literal["text", "json", "schema"]]] = {
    "text": "text",
    "json_object": "json",
    "json_schema": "schema",
}
LOGPROBS: Final = "message.output_text.logprobs"
# Proofs of thoughts are told whether they are asked for or not.
PROOFS: Final = "reasoning.encrypted_content"
NAMES: Final = {
    "messages": "input",
    "reasoning.effort": "reasoning.effort",
    "format": "text.format",
    "verbosity": "text.verbosity",
    "logprobs": "include",
    "tool_choice.parallel": "parallel_tool_calls",
    "parallel": "parallel_tool_calls",
}


def prompt_of(request: ChatRequest) -> Prompt:
    """Raises InvalidRequest naming the field by its path. What came before is in the input: `history.with_history`."""
    try:
        return read_prompt(request.fields)
    except RecursionError:
        raise too_deep() from None


def read_prompt(fields: Mapping[str, msgspec.Raw]) -> Prompt:
    losses: dict[str, msgspec.Raw] = {}
    names = dict(NAMES)
    body = Place(fields, "", losses)
    leave_to_us(body)
    prompt = Prompt(
        messages=conversation(body, names),
        tools=tuple(tools_of(body, names)),
        tool_choice=tool_choice_of(body),
        format=format_of(body, losses),
        max_output_tokens=body.take("max_output_tokens", WHOLE),
        temperature=body.take("temperature", NUMBER),
        top_p=body.take("top_p", NUMBER),
        logprobs=asks_for_logprobs(body),
        top_logprobs=body.take("top_logprobs", WHOLE) or None,
        user=user_of(body, names),
        reasoning=reasoning_of(body),
        service_tier=tier_of(body),
        others=losses,
        names=names,
    )
    body.close()
    if not any(names[f"messages[{index}]"] != "instructions" for index in range(len(prompt.messages))):
        raise nothing_said(losses)
    return msgspec.structs.replace(prompt, logprobs=prompt.logprobs or prompt.top_logprobs is not None)


def nothing_said(losses: Mapping[str, msgspec.Raw]) -> InvalidRequest:
    """Without any input that could be read nothing is left to be answered, not even where losses are allowed."""
    for path in losses:
        if path.startswith("input["):
            words = f"'{path}' is known to OpenAI alone, and there is no other input. Send what it stands for."
            return InvalidRequest(words, param=path, code="unsupported_parameter")
    return refused("input", "must hold at least one message")


def leave_to_us(body: Place) -> None:
    """What the platform does itself, or what says no more than nothing would. Only tools that OpenAI runs count as
    `max_tool_calls`."""
    body.forget(
        "model", "stream", "stream_options", "store", "metadata", "previous_response_id", "max_tool_calls"
    )  # fmt: skip
    body.ignore("background", False)
    body.ignore("truncation", "disabled")
    body.ignore("context_management", [])
    body.ignore("prompt_cache_options", {})


def asks_for_logprobs(body: Place) -> bool:
    wanted = body.take("include", TEXTS) or []
    for index, each in enumerate(wanted):
        if each not in (LOGPROBS, PROOFS):
            body.lose(f"include[{index}]", each)
    return LOGPROBS in wanted


def format_of(body: Place, losses: dict[str, msgspec.Raw]) -> Format | None:
    text = body.child("text")
    if text is None:
        return None
    if verbosity := text.text("verbosity"):
        losses["verbosity"] = msgspec.Raw(msgspec.json.encode(verbosity))
    given = text.child("format")
    text.close()
    if given is None:
        return None
    kind = KINDS.get(given.need("type", TEXT))
    if kind is None:
        raise wrong_value(given.at("type"), *KINDS)
    found = schema_of(given) if kind == "schema" else Format(kind=kind)
    given.close()
    return found


def schema_of(given: Place) -> Format:
    return Format(
        kind="schema",
        name=given.need("name", TEXT),
        description=given.text("description"),
        schema=given.raw_object("schema"),
        strict=given.take("strict", FLAG),
    )


def user_of(body: Place, names: dict[str, str]) -> str:
    """`safety_identifier` is the newer name; to a server that knows both, either is told as what it is."""
    user, identifier = body.text("user"), body.text("safety_identifier")
    if user and identifier and user != identifier:
        body.lose("safety_identifier", identifier)
    elif identifier and not user:
        names["user"] = "safety_identifier"
    return user or identifier


def reasoning_of(body: Place) -> Reasoning | None:
    given = body.child("reasoning")
    if given is None:
        return None
    given.ignore("context", "auto")
    given.ignore("mode", "standard")
    effort = given.text("effort")
    older, summary = given.text("generate_summary"), given.text("summary")
    given.close()
    if effort == "none":
        return Reasoning(enabled=False, summary=summary or older)
    return Reasoning(effort=effort, summary=summary or older) if effort or summary or older else None


def tier_of(body: Place) -> str:
    tier = body.text("service_tier")
    return "" if tier == "auto" else tier
