"""Where a request goes at a server of this wire."""

from collections.abc import Mapping

from providers.wire.endpoints import path_of, url_of
from providers.wire.shapes import Dialect, Target

PATHS: Mapping[Dialect, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
    "images": "/images/generations",
    "transcriptions": "/audio/transcriptions",
    "speech": "/audio/speech",
    "rerank": "/rerank",
}


def endpoint_url(target: Target, dialect: Dialect, asked: str) -> str:
    """The absolute URL; `asked` is the model as the caller named it. Raises InvalidRequest where there is none."""
    return url_of(target, path_of(target, dialect, PATHS.get(dialect, ""), asked=asked, safe=""))
