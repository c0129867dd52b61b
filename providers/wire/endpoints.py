"""Where a request goes: a wire's own path, or the server's by its quirks."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from common.errors import InvalidRequest
from providers.wire.shapes import Dialect, Target

NO_QUERY: Mapping[str, str] = {}


def path_of(target: Target, dialect: Dialect, usual: str) -> str:
    """`usual` and the quirk that replaces it name the model as `{model}`.

    Raises InvalidRequest where the server has no such endpoint.
    """
    path = target.quirks.paths.get(dialect, usual)
    if not path:
        raise InvalidRequest(
            f"'{target.model}' has no endpoint for {dialect}. Choose another model.",
            param="model",
            code="unsupported_endpoint",
        )
    return path.replace("{model}", quote(target.model, safe="/:@"))


def url_of(target: Target, path: str, query: Mapping[str, str] = NO_QUERY) -> str:
    """The absolute URL; `query` is the wire's own, beside the server's."""
    asked = {**query, **target.quirks.query}
    return target.base_url.rstrip("/") + path + ("?" + urlencode(asked) if asked else "")
