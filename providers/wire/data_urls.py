"""Files inside a URL (RFC 2397), as callers and vendors send pictures and documents."""

import base64
from urllib.parse import unquote_to_bytes


def data_url(media_type: str, encoded: str) -> str:
    """`encoded` in base64."""
    return f"data:{media_type};base64,{encoded}"


def within_data_url(url: str) -> tuple[str, str]:
    """The media type and the base64 of a data URL (RFC 2397); two empty strings for any other URL."""
    if not url.startswith("data:"):
        return "", ""
    head, _, contents = url.partition(",")
    media_type = head[5:].partition(";")[0] or "text/plain"
    if head.endswith(";base64"):
        return media_type, contents
    return media_type, base64.b64encode(unquote_to_bytes(contents)).decode()
