"""What a wire and a dialect have to offer to be translated into each other. Pure: values in, values out."""

from typing import Protocol

from common.errors import OrchestratorError
from providers.wire.neutral import Answer, Event, Prompt
from providers.wire.shapes import ChatRequest, Dialect, Secret, Target, UpstreamRequest, WireAdapter


class EventParser(Protocol):
    """Turns a provider's bytes, cut anywhere, into events. One instance per stream."""

    def feed(self, received: bytes) -> list[Event]:
        """Never raises: what cannot be read becomes Failed(UpstreamGarbled)."""
        ...

    def close(self) -> list[Event]:
        """What is left when the provider hung up; [] if nothing is. It adds neither Finished nor Ended of its own."""
        ...


class Wire(WireAdapter, Protocol):
    """What a provider speaks: `WireAdapter` for callers of the same format (`native`), and the rest for all others."""

    native: frozenset[Dialect]
    """Dialects whose bytes pass through."""

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        """How a credential is shown to the vendor."""
        ...

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        """Raises InvalidRequest for what cannot be expressed, by `neutral.Losses`."""
        ...

    def read_answer(self, body: bytes) -> Answer:
        """Raises UpstreamGarbled for bytes that are no answer, and the error inside one that carries it."""
        ...

    def read_stream(self, prompt: Prompt) -> EventParser: ...


class Renderer(Protocol):
    """Writes events in a caller's dialect, ready for the socket. One instance per stream."""

    def render(self, events: list[Event]) -> bytes:
        """Empty where nothing of it is for the caller yet. Failed is not its business: see `Speech.error_event`.

        With Ended (or, where a provider sends none, once `end` is called) the dialect's own closing is written, once.
        """
        ...

    def end(self) -> bytes:
        """The closing, for a provider that hung up after a finished answer without its mark; b"" if it was written."""
        ...


class Speech(Protocol):
    """What a caller speaks: one dialect."""

    name: Dialect

    def parse_request(self, body: bytes) -> ChatRequest:
        """Raises InvalidRequest naming the field, in the caller's words."""
        ...

    def prompt_of(self, request: ChatRequest) -> Prompt:
        """Raises InvalidRequest for a body that a provider of the same format might refuse as well."""
        ...

    def render_answer(self, answer: Answer, request: ChatRequest) -> bytes: ...

    def renderer(self, request: ChatRequest) -> Renderer: ...

    def error_body(self, error: OrchestratorError) -> bytes: ...

    def error_event(self, error: OrchestratorError) -> bytes:
        """The last event of a stream that broke off."""
        ...
