"""What this dialect calls the ends of an answer, its tokens, its errors."""

import time
import uuid
from collections.abc import Mapping

import msgspec

from common.errors import OrchestratorError
from providers.wire.neutral import Finish
from providers.wire.shapes import Usage

REASONS: Mapping[Finish, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
}


def reason_of(finish: Finish, *, told: bool) -> str:
    """`told`: the model refused in words of its own, which OpenAI counts as having come to an end."""
    return "stop" if told and finish == "refusal" else REASONS[finish]


def usage_object(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.input_audio_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.output_audio_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def answer_id(prefix: str, theirs: str) -> str:
    """The provider's id under this dialect's prefix; one of our own where it gave none."""
    if theirs.startswith(prefix):
        return theirs
    return prefix + (theirs or uuid.uuid4().hex)


def created_at(theirs: int) -> int:
    """Unix seconds."""
    return theirs or int(time.time())


def error_object(error: OrchestratorError) -> dict[str, dict[str, str | None]]:
    """Every error that no dialect of its own asks for has this form, whichever part of the process tells it."""
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}


def error_body(error: OrchestratorError) -> bytes:
    return msgspec.json.encode(error_object(error))


def error_event(error: OrchestratorError) -> bytes:
    return b"data: " + error_body(error) + b"\n\n"
