"""Where a request keeps what the model is to read: another field in every dialect."""

from typing import Final

from gateway.counting import Uncounted
from providers.wire.shapes import ChatRequest

READ_BY_THE_MODEL: Final = ("messages", "input", "prompt", "system", "instructions", "documents", "query")


def prompt_text_of(request: ChatRequest) -> bytes:
    """A JSON array of all of it, as the caller wrote it."""
    found = [bytes(request.fields[name]) for name in READ_BY_THE_MODEL if name in request.fields]
    return found[0] if len(found) == 1 and found[0].startswith(b"[") else b"[" + b",".join(found) + b"]"


def uncounted(request: ChatRequest, model: str, estimate: int, output: str = "", output_bytes: int = 0) -> Uncounted:
    """What is to be counted of a request and, as far as there is one, of the answer to it."""
    return Uncounted(
        model=model,
        messages=prompt_text_of(request),
        tools=bytes(request.fields.get("tools", b"")),
        output=output,
        output_bytes=output_bytes,
        estimated_input_tokens=estimate,
    )
