"""Where a request goes at a server of this wire, and what of it that server has another name for."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from common.errors import InvalidRequest
from providers.wire.neutral import Losses, Prompt
from providers.wire.shapes import Dialect, Quirks, Target

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
NULL = msgspec.Raw(b"null")
NOTHING_ASKED = Prompt(messages=())


def url_of(target: Target, dialect: Dialect, asked: str) -> str:
    """The absolute URL; `asked` is the model as the caller named it. Raises InvalidRequest where there is none."""
    quirks = target.quirks
    path = quirks.paths.get(dialect, PATHS.get(dialect, ""))
    if not path:
        raise InvalidRequest(
            f"The model '{asked}' does not offer '{dialect}'. Choose another model, or another endpoint.",
            param="model",
            code="unsupported_endpoint",
        )
    url = target.base_url + path.replace("{model}", quote(target.model, safe=""))
    return f"{url}?{urlencode(quirks.query)}" if quirks.query else url


def fitted(fields: dict[str, object], quirks: Quirks, losses: Losses, names: Mapping[str, str]) -> dict[str, object]:
    """The fields under the server's names, without those that it does not know.

    `names` leads from a field to what `losses` calls it. Raises InvalidRequest by `losses`. A field sent under both of
    its names keeps the one that was renamed, which is the newer.
    """
    for name in quirks.unsupported:
        if name in fields and name not in quirks.renamed and not is_null(fields.pop(name)):
            losses.lose(names.get(name, name))
    if not quirks.stream_usage:
        fields.pop("stream_options", None)
    renamed = {quirks.renamed[name]: value for name, value in fields.items() if name in quirks.renamed}
    kept = {name: value for name, value in fields.items() if name not in quirks.renamed}
    return kept | {name: value for name, value in renamed.items() if not is_null(value) or name not in kept}


def is_null(value: object) -> bool:
    return value is None or value == NULL
