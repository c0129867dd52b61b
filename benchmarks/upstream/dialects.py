"""The wires that the upstream speaks, by the path that each is asked at. Every one is a module of pure functions."""

from typing import Protocol

from benchmarks.upstream import anthropic_wire, openai_wire
from benchmarks.upstream.plans import Plan
from benchmarks.upstream.request import Request


class Dialect(Protocol):
    """What a wire makes of a request. Each event is complete, separator included."""

    MALFORMED_EVENT: bytes
    ENGINE_FAILED: bytes
    ERROR_EVENT: bytes

    def whole(self, request: Request) -> bytes:
        """The body of an answer that isn't streamed."""

    def opening_events(self, request: Request) -> list[bytes]:
        """What comes before the text."""

    def text_events(self, request: Request) -> list[bytes]:
        """One for each chunk."""

    def closing_events(self, request: Request) -> list[bytes]:
        """What follows the text."""

    def reports_usage(self, request: Request) -> bool:
        """Whether a stream ends with its usage."""

    def bad_request(self, message: str) -> bytes: ...

    def refusal(self, plan: Plan) -> tuple[int, bytes]:
        """Status and body of a plan that refuses, or of what `refuses` is true of."""

    def refuses(self, request: Request) -> bool: ...


DIALECTS: dict[str, Dialect] = {"/v1/chat/completions": openai_wire, "/v1/messages": anthropic_wire}
