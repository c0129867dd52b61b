"""Which models a server says it has, whatever its wire. Pure, and bounded whatever it says.

(platform.openai.com/docs/api-reference/models/list, platform.claude.com/docs/en/api/models-list,
ai.google.dev/api/models, docs.ollama.com/api/tags, openrouter.ai/docs/api-reference/list-available-models)
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.shapes import Quirks

PATHS: Final = {"ollama": "/api/tags"}
# As many on one page as the vendor allows.
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {"anthropic": {"limit": "1000"}, "gemini": {"pageSize": "1000"}}
NAME: Final = re.compile(r"[!-~]{1,200}")
MOST_MODELS: Final = 2000
# Every value of a JSON document but one for each nesting stands beside a comma: so many are decoded at most.
MOST_COMMAS: Final = 100_000
LARGEST_WINDOW: Final = 2**31 - 1
LONGEST_TITLE: Final = 200
WINDOWS: Final = ("context_length", "context_window", "max_context_length", "max_model_len", "max_input_tokens")
GEMINI: Final = "models/"


class ListedModel(msgspec.Struct, frozen=True):
    """What a server says of a model; `context_window` None for what it does not say."""

    name: str
    display_name: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()


class ModelList(msgspec.Struct, frozen=True):
    """`models` by name, each once. `ignored` entries named no model, or one that cannot be asked for; `cut`: there were
    more than MOST_MODELS."""

    models: tuple[ListedModel, ...]
    ignored: int = 0
    cut: bool = False


def model_list_url(wire: str, base_url: str, quirks: Quirks) -> str:
    """Where a server lists its models; empty for one that does not."""
    path = quirks.paths.get("models", PATHS.get(wire, "/models"))
    query = {**QUERIES.get(wire, {}), **quirks.query}
    return path and base_url.rstrip("/") + path + ("?" + urlencode(query) if query else "")


def read_model_list(body: bytes) -> ModelList:
    """Raises UpstreamGarbled for what is no list."""
    found: dict[str, ListedModel] = {}
    ignored = 0
    for entry in entries_of(body):
        model = listed(entry)
        if model is None:
            ignored += 1
        elif len(found) < MOST_MODELS:
            found.setdefault(model.name, model)
        elif model.name not in found:
            return ModelList(in_order(found), ignored, cut=True)
    return ModelList(in_order(found), ignored)


def in_order(found: Mapping[str, ListedModel]) -> tuple[ListedModel, ...]:
    return tuple(found[name] for name in sorted(found))


def entries_of(body: bytes) -> list[Any]:
    """The list itself, or the one called `data` or `models`."""
    if body.count(b",") > MOST_COMMAS:
        raise UpstreamGarbled("The provider's list of models is too long.")
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UpstreamGarbled("The provider did not answer with a list of models.") from None
    if isinstance(answer, dict):
        answer = next((answer[name] for name in ("data", "models") if isinstance(answer.get(name), list)), None)
    if not isinstance(answer, list):
        raise UpstreamGarbled("The provider did not answer with a list of models.")
    return answer


def listed(entry: Any) -> ListedModel | None:
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    name = next((entry[key] for key in ("id", "model", "name") if isinstance(entry.get(key), str)), "")
    name = name.removeprefix(GEMINI)
    if not NAME.fullmatch(name):
        return None
    return ListedModel(name, title_of(entry, name), window_of(entry), tuple(sorted(set(capabilities_of(entry)))))


def title_of(entry: Mapping[str, Any], name: str) -> str:
    title = next((entry[key] for key in ("display_name", "displayName", "name") if isinstance(entry.get(key), str)), "")
    shown = " ".join("".join(character for character in title[:1000] if character.isprintable()).split())
    return "" if shown.removeprefix(GEMINI) == name else shown[:LONGEST_TITLE].strip()


def window_of(entry: Mapping[str, Any]) -> int | None:
    for key in (*WINDOWS, "inputTokenLimit"):
        tokens = entry.get(key)
        if type(tokens) is int and 0 < tokens <= LARGEST_WINDOW:
            return tokens
    return None


def capabilities_of(entry: Mapping[str, Any]) -> Iterator[str]:
    """In our words; from Mistral's `capabilities`, OpenRouter's `architecture` and `supported_parameters`."""
    said = entry.get("capabilities")
    architecture = entry.get("architecture")
    inputs = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    parameters = entry.get("supported_parameters")
    for words, ours in (
        (said, {"vision": "vision", "function_calling": "tools", "tools": "tools"}),
        (inputs, {"image": "vision", "audio": "audio", "video": "video", "file": "pdf"}),
        (parameters, {"tools": "tools", "structured_outputs": "json_schema"}),
    ):
        if isinstance(words, dict | list):
            # A dictionary says no by a false value.
            yes = words if isinstance(words, list) else [word for word, held in words.items() if held is True]
            yield from (ours[word] for word in yes[:100] if isinstance(word, str) and word in ours)
