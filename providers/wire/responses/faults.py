"""Errors as the Responses API tells them (platform.openai.com/docs/api-reference/responses-streaming/error)."""

import msgspec

from common.errors import OrchestratorError
from providers.wire.openai.words import error_object


def error_event(error: OrchestratorError, sequence_number: int = 0) -> bytes:
    """Flat as it is documented, and with the object under `error` that the API sends as well, at whose sight the
    official SDKs raise. Who did not tell the stream does not know how many events went before."""
    told = {
        "type": "error",
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "sequence_number": sequence_number,
        **error_object(error),
    }
    return b"event: error\ndata: " + msgspec.json.encode(told) + b"\n\n"
