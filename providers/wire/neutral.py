"""A conversation and its answer in no vendor's words: what wire formats are translated through.

A *dialect* is what a caller speaks, a *wire* what a provider speaks. Where both are the same the bytes pass through and
nothing here is used; otherwise   caller's body → Prompt → provider's body   and   provider's bytes → events → caller's
bytes. Whatever two formats can both say has a place here; a vendor's thinking, its signatures and cache markers too.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from common.errors import InvalidRequest, OrchestratorError
from providers.wire.shapes import Usage

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Where there is a `cache`, it is a cache marker set after the part: "5m" or "1h", empty for none."""


class Text(Value, frozen=True, kw_only=True, tag="text"):
    text: str
    cache: str = ""


class Image(Value, frozen=True, kw_only=True, tag="image"):
    """Either `encoded` in base64 with its `media_type`, or a `url`. `detail` as OpenAI says it: low, high, auto."""

    encoded: str = ""
    media_type: str = ""
    url: str = ""
    detail: str = ""
    cache: str = ""


class Document(Value, frozen=True, kw_only=True, tag="document"):
    """A PDF or a text: `encoded` in base64, or a `url`, or the `file_id` of a file kept by the vendor."""

    encoded: str = ""
    media_type: str = "application/pdf"
    url: str = ""
    file_id: str = ""
    title: str = ""
    cache: str = ""


class Audio(Value, frozen=True, kw_only=True, tag="audio"):
    """`encoded` in base64; `format` as OpenAI names it: wav, mp3."""

    encoded: str
    format: str


class Thinking(Value, frozen=True, kw_only=True, tag="thinking"):
    """What a model thought. `signature` is the vendor's proof of it, to be sent back unchanged with the next turn."""

    text: str
    signature: str = ""


class RedactedThinking(Value, frozen=True, kw_only=True, tag="redacted_thinking"):
    encoded: str


class ToolCall(Value, frozen=True, kw_only=True, tag="tool_call"):
    """`arguments` is the JSON text as the model wrote it. `signature`: Gemini's proof of the thought that led to it."""

    id: str
    name: str
    arguments: str
    signature: str = ""
    cache: str = ""


class ToolResult(Value, frozen=True, kw_only=True, tag="tool_result"):
    """In messages of role "tool" alone; one message may hold several."""

    call_id: str
    parts: tuple[Text | Image | Document, ...]
    is_error: bool = False
    cache: str = ""


class Refusal(Value, frozen=True, kw_only=True, tag="refusal"):
    text: str


Part = Text | Image | Document | Audio | Thinking | RedactedThinking | ToolCall | ToolResult | Refusal


class Message(Value, frozen=True, kw_only=True):
    """`name` tells participants of the same role apart. "developer" messages have the role system."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""


class Tool(Value, frozen=True, kw_only=True):
    """A function that the model may call; `parameters` is its JSON schema, None for no parameters."""

    name: str
    description: str = ""
    parameters: msgspec.Raw | None = None
    strict: bool | None = None
    cache: str = ""


class ToolChoice(Value, frozen=True, kw_only=True):
    """`name` with the mode "tool" alone; `parallel` is None where the caller said nothing."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str = ""
    parallel: bool | None = None


class Format(Value, frozen=True, kw_only=True):
    """What the answer must look like. `schema` with the kind "schema" alone."""

    kind: Literal["text", "json", "schema"] = "text"
    name: str = ""
    description: str = ""
    schema: msgspec.Raw | None = None
    strict: bool | None = None


class Reasoning(Value, frozen=True, kw_only=True):
    """How much to think: an effort (minimal, low, medium, high, …) or a budget in tokens, or not at all."""

    effort: str = ""
    budget_tokens: int | None = None
    enabled: bool = True
    summary: str = ""


class Prompt(Value, frozen=True, kw_only=True):
    """A request for an answer. What is None or empty the caller did not ask for.

    `others` holds the caller's fields that have no place here, as JSON text under the caller's names; a wire that
    knows one may send it, every other one is inexpressible. `names` leads from a field's name here, or the first step
    of its path (`messages[2]`), to the caller's.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: Format | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    choices: int = 1
    user: str = ""
    reasoning: Reasoning | None = None
    service_tier: str = ""
    others: Mapping[str, msgspec.Raw] = {}
    names: Mapping[str, str] = {}


class Choice(Value, frozen=True, kw_only=True):
    """One answer. `logprobs` in OpenAI's shape: {"content": [...]}. `stop_sequence` is the one that was met."""

    parts: tuple[Part, ...]
    finish: Finish
    index: int = 0
    stop_sequence: str = ""
    logprobs: msgspec.Raw | None = None


class Answer(Value, frozen=True, kw_only=True):
    """`created` in Unix seconds, 0 for unknown."""

    choices: tuple[Choice, ...]
    id: str = ""
    model: str = ""
    usage: Usage | None = None
    created: int = 0


# An answer as it comes in. Deltas of one kind in a row belong to one part; `choice` is the index of the answer.


class Started(Value, frozen=True, kw_only=True):
    id: str = ""
    model: str = ""
    created: int = 0


class TextDelta(Value, frozen=True, kw_only=True):
    """`logprobs` are those of this text alone, in OpenAI's shape."""

    text: str
    choice: int = 0
    logprobs: msgspec.Raw | None = None


class ThinkingDelta(Value, frozen=True, kw_only=True):
    """The `signature` comes with the last delta of a thought, often with no text; a new thought begins after it."""

    text: str = ""
    signature: str = ""
    choice: int = 0


class ThinkingRedacted(Value, frozen=True, kw_only=True):
    encoded: str
    choice: int = 0


class RefusalDelta(Value, frozen=True, kw_only=True):
    text: str
    choice: int = 0


class ToolCallStarted(Value, frozen=True, kw_only=True):
    """`call` counts the calls of one choice from 0; calls that run in parallel may have their deltas mixed."""

    call: int
    id: str
    name: str
    signature: str = ""
    choice: int = 0


class ToolCallDelta(Value, frozen=True, kw_only=True):
    call: int
    arguments: str
    choice: int = 0


class Finished(Value, frozen=True, kw_only=True):
    finish: Finish
    stop_sequence: str = ""
    choice: int = 0


class Used(Value, frozen=True, kw_only=True):
    """`final` is false for what is reported before the end: the prompt's tokens, say."""

    usage: Usage
    final: bool = True


class Failed(Value, frozen=True, kw_only=True):
    """The provider broke off; nothing follows."""

    error: OrchestratorError


class Ended(Value, frozen=True, kw_only=True):
    """The provider's own mark of the end (`[DONE]`, `message_stop`, `done: true`): nothing follows."""


Event = (
    Started
    | TextDelta
    | ThinkingDelta
    | ThinkingRedacted
    | RefusalDelta
    | ToolCallStarted
    | ToolCallDelta
    | Finished
    | Used
    | Failed
    | Ended
)


HINTS = frozenset(
    (
        "user",
        "metadata",
        "store",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "context_management",
    )
)
"""What changes no answer, and what clients send unasked: never a reason to refuse."""


class Losses:
    """What a wire cannot say: refused, or left out and noted where the route says so (`drop_params`)."""

    __slots__ = ("_drop", "_names", "_target", "dropped")

    def __init__(self, prompt: Prompt, target: str, *, drop: bool) -> None:
        self._names = prompt.names
        self._target = target
        self._drop = drop
        self.dropped: list[str] = []

    def lose(self, field: str) -> None:
        """`field` by its name in Prompt, or a path such as `messages[2].audio`. Raises InvalidRequest naming it."""
        name = self._names.get(field) or self._renamed(field)
        if not self._drop and field not in HINTS:
            raise InvalidRequest(
                f"'{name}' cannot be expressed to '{self._target}'. Leave it out, or choose another model.",
                param=name,
                code="unsupported_parameter",
            )
        if name not in self.dropped:
            self.dropped.append(name)

    def _renamed(self, path: str) -> str:
        """A path by the name of its first step: a prompt's `messages[2]` may be the caller's `messages.1`."""
        first, dot, rest = path.partition(".")
        return self._names.get(first, first) + dot + rest
