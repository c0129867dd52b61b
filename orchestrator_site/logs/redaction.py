"""Takes secrets out of whatever is about to be written: by the name they stand under, and by how they look."""

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"
DEEPEST: Final = 6

SECRET_NAME: Final = re.compile(
    r"(?:^|[_.\-])(?:password|passwd|passphrase|secret|token|cookie|pepper|authorization|credentials?"
    r"|api[_\-]?key|secret[_\-]?key|private[_\-]?key|encryption[_\-]?key|database_url|redis_url|dsn)$",
    re.IGNORECASE,
)
QUOTED_OR_WORD: Final = r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"'}\])]+)"

SECRETS: Final = (
    # Our own keys keep their public part, so that a line still says which key it was.
    (re.compile(r"\b(orc_[0-9A-Za-z]{16}_)[0-9A-Za-z]+"), rf"\1{REDACTED}"),
    (re.compile(r"\b(?:sk|pk|rk|gsk|xai|key)-[0-9A-Za-z_\-]{8,}"), REDACTED),
    (re.compile(r"\bAIza[0-9A-Za-z_\-]{20,}"), REDACTED),
    (re.compile(r"\beyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]+\.[0-9A-Za-z_\-]*"), REDACTED),
    (re.compile(r"\b((?:bearer|basic)\s+)[0-9A-Za-z._~+/=\-]{8,}", re.IGNORECASE), rf"\1{REDACTED}"),
    # The password of a URL; also an empty user, as in redis://:password@host.
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@]*:)[^\s/]+(@)", re.IGNORECASE), rf"\1{REDACTED}\2"),
    (
        re.compile(
            r"((?:password|passwd|secret|token|pepper|authorization|x-api-key|api[_-]?key|secret[_-]?key)"
            rf"[\"']?\s*[=:]\s*)(?!\s*(?:bearer|basic)\b)(?!\[redacted\]){QUOTED_OR_WORD}",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)


# Without one of these a text holds nothing that the patterns above would find.
MARKS: Final = (
    *("orc_", "sk-", "pk-", "rk-", "xai-", "key-", "aiza", "eyj", "bearer", "basic", "://", "passw", "secret"),
    *("token", "pepper", "authorization", "apikey", "api-key", "api_key"),
)
SHORTEST: Final = 8


def redact_text(text: str) -> str:
    """`text` without anything that looks like a secret."""
    if len(text) < SHORTEST:
        return text
    lowered = text.lower()
    for mark in MARKS:
        if mark in lowered:
            return redact_marked(text)
    return text


def redact_marked(text: str) -> str:
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, depth: int = 0) -> Any:
    """The same for a value of any shape; what is not text, number or container is shown as its redacted `repr`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {str(name): redact_named(str(name), item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    return redact_text(str(value))


def redact_named(name: str, value: Any, depth: int = 0) -> Any:
    return REDACTED if value and names_secret(name) else redact(value, depth)


@lru_cache(maxsize=1024)
def names_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; the last before rendering, so that nothing is added behind its back."""
    for name, value in list(event.items()):
        event[name] = redact_named(name, value)
    return event
