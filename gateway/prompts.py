"""Where a request keeps what the model is to read: another field in every dialect."""

from typing import Final

from providers.wire.shapes import ChatRequest

READ_BY_THE_MODEL: Final = ("messages", "input", "prompt", "system", "instructions", "documents", "query")


def prompt_text_of(request: ChatRequest) -> bytes:
    """A JSON array of all of it, as the caller wrote it."""
    found = [bytes(request.fields[name]) for name in READ_BY_THE_MODEL if name in request.fields]
    return found[0] if len(found) == 1 and found[0].startswith(b"[") else b"[" + b",".join(found) + b"]"
