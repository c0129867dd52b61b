"""Which models a server says it has, whatever its wire. Pure, and bounded whatever it says.

(platform.openai.com/docs/api-reference/models/list, platform.claude.com/docs/en/api/models-list,
ai.google.dev/api/models, docs.ollama.com/api/tags, openrouter.ai/docs/api-reference/list-available-models)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.shapes import Quirks

PATHS: Final = {"ollama": "/api/tags"}
# As many on one page as the vendor allows.
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {"anthropic": {"limit": "1000"}, "gemini": {"pageSize": "1000"}}
NAME: Final = re.compile(r"[!-~]{1,200}")
MOST_MODELS: Final = 10_000
LONGEST_CURSOR: Final = 2000
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
    more than MOST_MODELS, or more pages than were read. `next_page`: name and value to ask for the next page with."""

    models: tuple[ListedModel, ...]
    ignored: int = 0
    cut: bool = False
    next_page: tuple[str, str] | None = None


def model_list_url(wire: str, base_url: str, quirks: Quirks) -> str:
    """Where a server lists its models; empty for one that does not."""
    path = quirks.paths.get("models", PATHS.get(wire, "/models"))
    query = {**QUERIES.get(wire, {}), **quirks.query}
    return path and base_url.rstrip("/") + path + ("?" + urlencode(query) if query else "")


def page_url(url: str, page: tuple[str, str] | None) -> str:
    """Where the page is that a list named as its next; the first one for None."""
    return url if page is None else url + ("&" if "?" in url else "?") + urlencode([page])


def read_model_list(body: bytes) -> ModelList:
    """One page of a list, or all of it. Raises UpstreamGarbled for what is no list."""
    answer = decoded(body)
    models = [listed(entry) for entry in entries_of(answer)]
    found = [model for model in models if model is not None]
    return msgspec.structs.replace(taken(found), ignored=len(models) - len(found), next_page=next_page(answer))


def joined(pages: Sequence[ModelList]) -> ModelList:
    """All pages as one list; cut if the last of them said that there was another."""
    whole = taken([model for page in pages for model in page.models])
    cut = whole.cut or any(page.cut for page in pages) or pages[-1].next_page is not None
    return ModelList(whole.models, sum(page.ignored for page in pages), cut)


def taken(models: Sequence[ListedModel]) -> ModelList:
    """Each name once, as it was first said, and no more than MOST_MODELS."""
    found: dict[str, ListedModel] = {}
    for model in models:
        if model.name not in found:
            if len(found) == MOST_MODELS:
                return ModelList(in_order(found), cut=True)
            found[model.name] = model
    return ModelList(in_order(found))


def in_order(found: Mapping[str, ListedModel]) -> tuple[ListedModel, ...]:
    return tuple(found[name] for name in sorted(found))


def next_page(answer: Any) -> tuple[str, str] | None:
    """Gemini names its next page, Anthropic the last model of this one."""
    if not isinstance(answer, dict):
        return None
    wanted, cursor = "pageToken", answer.get("nextPageToken")
    if answer.get("has_more") is True:
        wanted, cursor = "after_id", answer.get("last_id")
    return (wanted, cursor) if isinstance(cursor, str) and 0 < len(cursor) <= LONGEST_CURSOR else None


def decoded(body: bytes) -> Any:
    if body.count(b",") > MOST_COMMAS:
        raise UpstreamGarbled("The provider's list of models is too long.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UpstreamGarbled("The provider did not answer with a list of models.") from None


def entries_of(answer: Any) -> list[Any]:
    """The list itself, or the one called `data` or `models`."""
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
