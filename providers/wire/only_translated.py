"""The half of a wire that passes bytes through, for wires that no caller speaks."""

from common.errors import InvalidRequest
from providers.wire.shapes import ChatRequest, Chunk, Dialect, StreamParser, Target, UpstreamRequest


class OnlyTranslated:
    """Nothing is native, so that nothing of this is ever called; it answers like any other wrong request."""

    name: str
    native: frozenset[Dialect] = frozenset()

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        raise self._foreign(request.dialect)

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        raise self._foreign(dialect)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        raise self._foreign(request.dialect)

    def _foreign(self, dialect: Dialect) -> InvalidRequest:
        return InvalidRequest(f"{dialect} does not pass through to {self.name}.", code="unsupported_endpoint")
