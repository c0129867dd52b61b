"""Where a request goes and how its fields are called: a wire's own way, or the server's by its quirks."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from common.errors import InvalidRequest
from providers.wire.neutral import Losses
from providers.wire.shapes import Dialect, Quirks, Target

NO_QUERY: Mapping[str, str] = {}
NULL = msgspec.Raw(b"null")


def path_of(target: Target, dialect: Dialect, usual: str, *, asked: str = "", safe: str = "/:@") -> str:
    """`usual` and the quirk that replaces it name the model as `{model}`, of which `safe` stays unquoted.

    Raises InvalidRequest where the server has no such endpoint; `asked` is the model as the caller named it.
    """
    path = target.quirks.paths.get(dialect, usual)
    if not path:
        model = asked or target.model
        raise InvalidRequest(
            f"The model '{model}' does not offer '{dialect}'. Choose another model, or another endpoint.",
            param="model",
            code="unsupported_endpoint",
        )
    return path.replace("{model}", quote(target.model, safe=safe))


def url_of(target: Target, path: str, query: Mapping[str, str] = NO_QUERY) -> str:
    """The absolute URL; `query` is the wire's own, beside the server's."""
    asked = {**query, **target.quirks.query}
    return target.base_url.rstrip("/") + path + ("?" + urlencode(asked) if asked else "")


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
