"""Messages and tools of a chat completion, as callers write them (platform.openai.com/docs/api-reference/chat/create).

Beside what OpenAI documents there is what its ecosystem agreed on: `cache_control` on parts, messages and tools, and
`thinking_blocks` or `reasoning_content` on an assistant's message (docs.litellm.ai, openrouter.ai/docs), Gemini's
`extra_content` on calls (ai.google.dev/gemini-api/docs/openai).
"""

import msgspec

Raw = msgspec.Raw
ABSENT = msgspec.Raw()


class Marker(msgspec.Struct, gc=False):
    """`{"type": "ephemeral", "ttl": "1h"}`, or OpenAI's `{"mode": "explicit", "ttl": "30m"}`."""

    ttl: str | None = None


class Marked(msgspec.Struct):
    cache_control: Marker | None = None
    prompt_cache_breakpoint: Marker | None = None


class TextPart(Marked, kw_only=True, tag="text", tag_field="type"):
    text: str


class ImageAddress(msgspec.Struct):
    url: str
    detail: str | None = None


class ImagePart(Marked, kw_only=True, tag="image_url", tag_field="type"):
    image_url: ImageAddress | str


class Sound(msgspec.Struct):
    encoded: str = msgspec.field(name="data")
    format: str


class AudioPart(Marked, kw_only=True, tag="input_audio", tag_field="type"):
    input_audio: Sound


class GivenFile(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Marked, kw_only=True, tag="file", tag_field="type"):
    file: GivenFile


class RefusalPart(Marked, kw_only=True, tag="refusal", tag_field="type"):
    refusal: str


class ThinkingPart(Marked, kw_only=True, tag="thinking", tag_field="type"):
    """A list of texts is Mistral's way (docs.mistral.ai/capabilities/reasoning)."""

    thinking: str | list[TextPart]
    signature: str | None = None


class RedactedPart(Marked, kw_only=True, tag="redacted_thinking", tag_field="type"):
    encoded: str = msgspec.field(name="data")


GivenPart = TextPart | ImagePart | AudioPart | FilePart | RefusalPart | ThinkingPart | RedactedPart


class CalledFunction(msgspec.Struct):
    name: str
    arguments: str = ""


class GoogleExtra(msgspec.Struct):
    thought_signature: str | None = None


class Extra(msgspec.Struct):
    google: GoogleExtra | None = None


class GivenCall(Marked):
    """`custom` calls have no `function`."""

    id: str | None = None
    function: CalledFunction | None = None
    extra_content: Extra | None = None


class GivenMessage(Marked, kw_only=True):
    role: str
    content: str | list[GivenPart] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[GivenCall] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None
    thinking_blocks: list[ThinkingPart | RedactedPart] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    audio: Raw = ABSENT


class GivenFunction(Marked, kw_only=True):
    name: str
    description: str | None = None
    parameters: Raw = ABSENT
    strict: bool | None = None


class GivenTool(Marked):
    type: str = "function"
    function: GivenFunction | None = None


class ChosenFunction(msgspec.Struct):
    name: str


class ChosenTool(msgspec.Struct):
    type: str = "function"
    function: ChosenFunction | None = None


class GivenSchema(msgspec.Struct):
    name: str = ""
    description: str | None = None
    schema: Raw = ABSENT
    strict: bool | None = None


class GivenFormat(msgspec.Struct):
    type: str
    json_schema: GivenSchema | None = None


class GivenReasoning(msgspec.Struct):
    """OpenRouter's `reasoning` (openrouter.ai/docs/use-cases/reasoning-tokens)."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    summary: str | None = None


class GivenThinking(msgspec.Struct):
    """Anthropic's `thinking`, which callers of chat completions send through gateways."""

    type: str
    budget_tokens: int | None = None
