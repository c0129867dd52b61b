"""The values every wire format speaks in: a request, chunks of an answer, usage, a target.

Token names follow the OpenTelemetry GenAI conventions
(opentelemetry.io/docs/specs/semconv/gen-ai): `input_tokens` counts everything sent, cached
tokens included; `output_tokens` everything generated, reasoning tokens included.
"""

from collections.abc import Mapping
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from common.errors import OrchestratorError
from providers.prices import Price


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one attempt. The parts (cache, reasoning, audio) are contained in the two totals, and what was written
    to a cache for an hour in all that was written."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    cache_write_1h_tokens: int = 0


Dialect = Literal[
    "chat", "completions", "messages", "responses",
    "embeddings", "moderations", "images", "transcriptions", "speech", "rerank",
]  # fmt: skip


class ChatRequest(msgspec.Struct, frozen=True):
    """A request for a completion, or for what else a model makes, as the caller sent it in its `dialect`.

    `fields` holds every top-level field as the caller's own JSON text, known to us or not, so
    that nothing is lost on the way to a target of the same wire format. `input_bytes` is the
    length of the body, the upper bound that admission reserves from. `stream_options` is the field
    of that name, its own fields as text. `headers` are the caller's that its dialect lets through to a provider of the
    same format. A body that is no JSON (an upload) is in `upload`, with its `content_type`; it has no `fields`.
    """

    model: str
    stream: bool
    include_usage: bool
    max_output_tokens: int | None
    choices: int
    fields: Mapping[str, msgspec.Raw]
    input_bytes: int
    stream_options: Mapping[str, msgspec.Raw] = {}
    dialect: Dialect = "chat"
    headers: tuple[tuple[str, str], ...] = ()
    upload: bytes = b""
    content_type: str = "application/json"


class Chunk(msgspec.Struct, frozen=True):
    """One event of an answer: the bytes as they came, and what we read in them.

    `raw` includes the event's separator, and joining the `raw` of all chunks gives the upstream's
    bytes back. `text` is all generated text in the event (content, refusal, tool arguments,
    reasoning), for counting when the vendor reports no usage. `finished` is true once every
    choice of the request has its finish_reason. `usage_only` marks an event that carries usage
    and nothing else: the one a caller who didn't ask for usage must not see. `repeated` marks what is no news to the
    caller, who has it from another provider.
    """

    raw: bytes
    text: str = ""
    model: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    error: OrchestratorError | None = None
    finished: bool = False
    done: bool = False
    usage_only: bool = False
    repeated: bool = False


class Secret:
    """A string that never shows itself in a repr, a log line or an error."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


class Deadlines(msgspec.Struct, frozen=True):
    """Seconds allowed to an upstream, each from the end of the one before; `total` from the start.

    `first_byte` is for status and headers, `first_chunk` from these to the first of a streamed answer that says
    something; None sets it no limit beside `between_chunks`.
    """

    connect: float = 5.0
    first_byte: float = 60.0
    between_chunks: float = 60.0
    total: float = 600.0
    first_chunk: float | None = None


class Quirks(msgspec.Struct, frozen=True):
    """How a server differs from the wire that it speaks: data from its template.

    `paths` replace the wire's by dialect ("chat": "/chat/completions"), with `{model}` for the model's name; an empty
    path says that the server has no such endpoint. `query` is added to every URL. `renamed` leads from a field to the
    server's name, `unsupported` fields are inexpressible. `request`, `response`, `stream_response` (of one event) are
    JMESPath expressions of a custom API, empty for the wire's own shape.
    """

    paths: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    renamed: Mapping[str, str] = {}
    unsupported: tuple[str, ...] = ()
    stream_usage: bool = True
    request: str = ""
    response: str = ""
    stream_response: str = ""


NO_QUIRKS = Quirks()


class Target(msgspec.Struct, frozen=True):
    """One model at one provider under one credential: all that a call to it needs.

    `provider_scope` is "platform" for the operator's providers and "tenant" for the tenant's own.
    `headers` are complete, the credential included. `price` is None for an unpriced model. With `drop_params` what the
    provider cannot express is left out, and told in a response header; otherwise it is refused. What the tenant pays is
    the cost and `mark_up_basis_points` of it (1/10,000). `parameters` are JSON values that a route puts in the place of
    the caller's fields of these names.

    `key` names owner, provider, model and credential, for whatever is known of this target: "platform/openai/gpt-4o#a"
    or "t:<the tenant's id in hex>/openai/gpt-4o#a". `credential` is its label, empty where the provider has none.
    `most_at_once` calls may be under way at the provider, those of all processes together; None sets no limit. It is
    `hurried` where a caller, or a tenant at a provider of the platform, gives it less time than the provider's own
    deadlines: what comes of that says nothing of the target to others.
    """

    provider: str
    provider_scope: Literal["platform", "tenant"]
    wire: str
    base_url: str
    model: str
    headers: tuple[tuple[str, Secret], ...]
    price: Price | None
    deadlines: Deadlines = Deadlines()
    quirks: Quirks = NO_QUIRKS
    drop_params: bool = False
    mark_up_basis_points: int = 0
    credential: str = ""
    credential_id: UUID | None = None
    credential_requests_per_minute: int | None = None
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()
    parameters: tuple[tuple[str, msgspec.Raw], ...] = ()
    most_at_once: int | None = None
    key: str = ""
    hurried: bool = False

    @property
    def name(self) -> str:
        """ "provider/model"."""
        return f"{self.provider}/{self.model}"


class UpstreamRequest(msgspec.Struct, frozen=True):
    """What to send: an absolute URL, headers ready for the socket, the body's bytes.

    `dropped` names the caller's fields that were left out.
    """

    url: str
    headers: tuple[tuple[str, Secret], ...]
    body: bytes
    stream: bool
    dropped: tuple[str, ...] = ()


class StreamParser(Protocol):
    """Turns an upstream's bytes, cut anywhere, into chunks. One instance per stream."""

    def feed(self, data: bytes) -> list[Chunk]:
        """The events completed by `data`. Never raises: what cannot be read becomes a Chunk with `error`."""
        ...

    def close(self) -> list[Chunk]:
        """What is left when the upstream ended: a last event without separator, or nothing."""
        ...


class WireAdapter(Protocol):
    """A wire format: four pure functions (`parse_stream` makes a parser, since a stream has state)."""

    name: str

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest: ...

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        """A whole answer to a request of the `dialect` as one finished chunk.

        Raises UpstreamGarbled for bytes that are no answer. A wire with one native dialect need not look at it.
        """
        ...

    def parse_stream(self, request: ChatRequest) -> StreamParser: ...

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        """The error a caller gets for a vendor's non-2xx answer (header names in lower case)."""
        ...
