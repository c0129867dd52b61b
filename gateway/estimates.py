"""The size of a prompt without counting it: good enough to say what a killed attempt cost."""

from typing import Final

from providers.wire.shapes import ChatRequest

BYTES_PER_TOKEN: Final = 4
TOKENS_PER_ATTACHMENT: Final = 1_000
SMALL_BODY: Final = 4_096
ATTACHMENTS: Final = (b";base64,", b'"input_audio"', b'"file_data"')


def estimated_input_tokens(request: ChatRequest) -> int:
    """Of the whole body, a token for four bytes; what is attached in base64 counts a flat number of tokens."""
    size, attached = request.input_bytes, 0
    if size > SMALL_BODY and (messages := request.fields.get("messages")) is not None:
        attached, count = attachments(bytes(messages))
        return (size - attached) // BYTES_PER_TOKEN + count * TOKENS_PER_ATTACHMENT + 1
    return size // BYTES_PER_TOKEN + 1


def attachments(messages: bytes) -> tuple[int, int]:
    """(bytes of base64 inside, how many pieces): each runs from its marker to the end of a long string."""
    size = count = 0
    for marker in ATTACHMENTS:
        start = messages.find(marker)
        while start >= 0:
            end = end_of_longest(messages, start + len(marker))
            size += end - start
            count += 1
            start = messages.find(marker, end)
    return size, count


def end_of_longest(messages: bytes, start: int) -> int:
    """Where the first long string after `start` ends; an attachment's own text has no quotes in it."""
    for _ in range(8):
        end = messages.find(b'"', start)
        if end < 0:
            return len(messages)
        if end - start > 256:
            return end
        start = end + 1
    return start
