"""What a model drew, for dialects whose answers are text: as Markdown, which shows it or at least keeps it."""

from providers.wire.data_urls import data_url

SIGNATURES = {"/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}


def markdown_picture(encoded: str, media_type: str = "") -> str:
    """`encoded` in base64. Without a media type it is told by the first bytes; PNG otherwise."""
    if not media_type:
        found = (kind for start, kind in SIGNATURES.items() if encoded.startswith(start))
        media_type = next(found, "image/png")
    mark = "!" if media_type.startswith("image/") else ""
    return f"{mark}[{media_type}]({data_url(media_type, encoded)})"
