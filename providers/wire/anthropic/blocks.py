"""Parts of a conversation as content blocks (platform.claude.com/docs/en/api/messages)."""

import re
from base64 import b64decode
from binascii import Error as NotBase64

from common.errors import InvalidRequest
from providers.wire.calls import arguments_object
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Losses,
    Message,
    Part,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

Block = dict[str, object]
FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")


def blocks_of(message: Message, place: str, losses: Losses) -> list[Block]:
    """What of a message can be said; `place` is its path, such as `messages[2]`."""
    if message.name:
        losses.lose(f"{place}.name")
    found = (block_of(part, place, losses) for part in message.parts)
    return [block for block in found if block is not None]


def block_of(part: Part, place: str, losses: Losses) -> Block | None:
    """None for what is not sent: a text without words, which is refused, a thought without its proof, or a loss."""
    if isinstance(part, ToolCall):
        return call_block(part, place)
    if isinstance(part, ToolResult):
        return result_block(part, place, losses)
    if isinstance(part, Thinking | RedactedThinking):
        return thought_block(part)
    if isinstance(part, Audio):
        losses.lose(f"{place}.audio")
        return None
    return content_block(part, place, losses)


def content_block(part: Text | Refusal | Image | Document, place: str, losses: Losses) -> Block | None:
    match part:
        case Image():
            return marked({"type": "image", "source": image_source(part)}, part.cache)
        case Document():
            return document_block(part, place, losses)
        case _:
            return text_block(part)


def text_block(part: Text | Refusal) -> Block | None:
    if not part.text.strip():
        return None
    return marked({"type": "text", "text": part.text}, part.cache if isinstance(part, Text) else "")


def image_source(image: Image) -> Block:
    if image.url:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type or "image/png", "data": image.encoded}


def document_block(document: Document, place: str, losses: Losses) -> Block | None:
    source = document_source(document, place)
    if source is None:
        losses.lose(f"{place}.document")
        return None
    block: Block = {"type": "document", "source": source}
    if document.title:
        block["title"] = document.title
    return marked(block, document.cache)


def document_source(document: Document, place: str) -> Block | None:
    """None for a kind of file that cannot be read there."""
    if document.file_id:
        return {"type": "file", "file_id": document.file_id}
    if document.url:
        return {"type": "url", "url": document.url}
    if document.media_type == "application/pdf":
        return {"type": "base64", "media_type": document.media_type, "data": document.encoded}
    if not document.media_type.startswith("text/"):
        return None
    return {"type": "text", "media_type": "text/plain", "data": decoded_text(document.encoded, place)}


def decoded_text(encoded: str, place: str) -> str:
    try:
        return b64decode(encoded, validate=True).decode()
    except (NotBase64, UnicodeDecodeError, ValueError):
        field = f"{place}.document"
        raise InvalidRequest(f"'{field}' must be text in UTF-8, encoded in base64.", param=field) from None


def thought_block(part: Thinking | RedactedThinking) -> Block | None:
    """A thought without signature is another vendor's: nothing that Claude could take for its own."""
    if isinstance(part, RedactedThinking):
        return {"type": "redacted_thinking", "data": part.encoded}
    if not part.signature:
        return None
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def call_block(call: ToolCall, place: str) -> Block:
    block: Block = {
        "type": "tool_use",
        "id": native_id(call.id),
        "name": call.name,
        "input": arguments_object(call, f"{place}.tool_calls"),
    }
    return marked(block, call.cache)


def result_block(result: ToolResult, place: str, losses: Losses) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": native_id(result.call_id)}
    found = (block_of(part, place, losses) for part in result.parts)
    if content := [part for part in found if part is not None]:
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
    return marked(block, result.cache)


def native_id(call_id: str) -> str:
    """Other vendors' ids hold dots and colons, which are refused here."""
    return FOREIGN.sub("_", call_id)


def marked(block: Block, cache: str) -> Block:
    """With a cache marker: five minutes is the usual lifetime, and need not be said."""
    if cache:
        block["cache_control"] = {"type": "ephemeral"} | ({"ttl": cache} if cache != "5m" else {})
    return block
