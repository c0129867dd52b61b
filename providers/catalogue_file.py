"""A catalogue as a JSON file (MODEL_CONFIGS, `create_provider --file`): providers, their models, and routes.

    {
      "providers": [
        {
          "name": "vllm",                              lower-case letters, digits, . _ -
          "base_url": "http://10.0.0.5:8000/v1",
          "wire": "openai",                            the default; or anthropic, gemini, ollama, custom
          "key_env": "VLLM_KEY",                       the environment variable that holds the key; "" for none
          "price_provider": "",                        a provider of genai-prices whose price list applies
          "headers": {"x-team": "research"},           sent with every call; no secrets
          "deadlines": {"connect": 5, "first_byte": 60, "between_chunks": 60, "total": 1800},
          "quirks": {"unsupported": ["logit_bias"]},   differences from the wire, as in templates
          "credential_header": "api-key: {{API_KEY}}", how the key is shown; "" for the wire's own way
          "default_model": "qwen3-8b",
          "health_interval_seconds": 60,
          "mark_up_basis_points": 250,                 2.5% on the cost; for the platform's providers, like
          "offered_to_plans": ["pro"],                 the plans they are for: [] for everyone
          "most_at_once": 100,                         completions under way at once, all processes together
          "enabled": true,
          "models": [
            "qwen3-8b",                                just the vendor's id, or with more:
            {
              "name": "qwen3-32b", "display_name": "Qwen 3", "context_window": 131072, "capabilities": ["tools"],
              "price": {"input": "0.15", "output": "0.60", "cache_read": "0.03"}
            }
          ]
        }
      ],
      "routes": [
        {
          "name": "fast", "strategy": "weighted", "drop_params": true, "policy": {"sticky": true},
          "targets": ["vllm/qwen3-8b", {"target": "openai/gpt-4o-mini", "weight": 2}]
        }
      ]
    }

Prices are USD per million tokens (`request`: USD a call), overriding the price list. Unknown fields are refused. What
stands from `quirks` to `most_at_once`, and of a route all but its targets, stays as it is where it is left out.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from common.errors import InvalidRequest
from common.money import nano_from_usd
from providers.actions.models import ModelOffer

T = TypeVar("T", bound=msgspec.Struct)
MOST_USD = 1_000_000


class DeadlineEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    connect: float = 5.0
    first_byte: float = 60.0
    between_chunks: float = 60.0
    total: float = 1800.0
    first_chunk: float | None = None


class PriceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    request: Decimal = Decimal(0)


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    display_name: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()
    enabled: bool = True
    price: PriceEntry | None = None

    def offer(self) -> ModelOffer:
        return ModelOffer(
            name=self.name,
            display_name=self.display_name,
            context_window=self.context_window,
            capabilities=self.capabilities,
            enabled=self.enabled,
            **({} if self.price is None else rates(self.price)),
        )


class ProviderEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    base_url: str
    wire: str = "openai"
    key_env: str = ""
    price_provider: str = ""
    headers: dict[str, str] = {}
    deadlines: DeadlineEntry = DeadlineEntry()
    enabled: bool = True
    models: tuple[ModelEntry, ...] = ()
    template: str | None = None
    quirks: dict[str, Any] | None = None
    credential_header: str | None = None
    default_model: str | None = None
    health_interval_seconds: int | None = None
    mark_up_basis_points: int | None = None
    offered_to_plans: list[str] | None = None
    most_at_once: int | None = None


class RouteEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    targets: tuple[str | dict[str, Any], ...]
    drop_params: bool | None = None
    strategy: str | None = None
    policy: dict[str, Any] | None = None


class CatalogueFile(msgspec.Struct, frozen=True):
    providers: tuple[ProviderEntry, ...] = ()
    routes: tuple[RouteEntry, ...] = ()


def catalogue_file_at(path: str, *, asked_by: str) -> CatalogueFile:
    """`asked_by`: the option or variable that holds the path.

    Raises InvalidRequest whose `param` is that name, or the path and the place in the file.
    """
    try:
        return read_catalogue_file(Path(path).read_bytes())
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.", param=asked_by) from None
    except InvalidRequest as error:
        raise InvalidRequest(error.message, param=f"{path}: {error.param or 'file'}") from None


def read_catalogue_file(content: bytes) -> CatalogueFile:
    """Raises InvalidRequest with the place in `param`, such as `providers[2].models[0].price.input`."""
    try:
        loose = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"This is not valid JSON: {error}.") from None
    if not isinstance(loose, dict) or not loose.keys() <= {"providers", "routes"}:
        raise InvalidRequest('Expected an object with "providers", "routes" or both.')
    file = CatalogueFile(
        providers=tuple(provider_entry(each, f"providers[{i}]") for i, each in listed(loose, "providers", "")),
        routes=tuple(entry(each, RouteEntry, f"routes[{i}]") for i, each in listed(loose, "routes", "")),
    )
    refuse_repetition(file.providers, "providers")
    refuse_repetition(file.routes, "routes")
    return file


def provider_entry(loose: Any, place: str) -> ProviderEntry:
    if not isinstance(loose, dict):
        raise wrong(place, "expected an object")
    models = tuple(model_entry(each, f"{place}.models[{i}]") for i, each in listed(loose, "models", f"{place}."))
    refuse_repetition(models, f"{place}.models")
    plain = entry({name: value for name, value in loose.items() if name != "models"}, ProviderEntry, place)
    return msgspec.structs.replace(plain, models=models)


def model_entry(loose: Any, place: str) -> ModelEntry:
    if isinstance(loose, str):
        return ModelEntry(name=loose)
    made = entry(loose, ModelEntry, place)
    if made.price is not None:
        for name in PriceEntry.__struct_fields__:
            usd = getattr(made.price, name)
            if usd is not None and not (usd.is_finite() and 0 <= usd <= MOST_USD):
                raise wrong(f"{place}.price.{name}", f"expected USD between 0 and {MOST_USD}")
    return made


def entry(loose: Any, kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(loose, kind)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `$")
        raise wrong(place + path.rstrip("`"), fault[:1].lower() + fault[1:]) from None


def listed(loose: dict[str, Any], name: str, place: str) -> "enumerate[Any]":
    value = loose.get(name, [])
    if not isinstance(value, list):
        raise wrong(f"{place}{name}", "expected an array")
    return enumerate(value)


def refuse_repetition(entries: tuple[ProviderEntry | ModelEntry | RouteEntry, ...], place: str) -> None:
    seen: set[str] = set()
    for i, each in enumerate(entries):
        if each.name in seen:
            raise wrong(f"{place}[{i}].name", f"{each.name!r} is there twice")
        seen.add(each.name)


def rates(price: PriceEntry) -> dict[str, Any]:
    parts = ("input", "output", "cache_read", "cache_write", "input_audio", "output_audio")
    named = {f"{part}_nano_per_mtok": getattr(price, part) for part in parts} | {"nano_per_request": price.request}
    return {name: None if usd is None else nano_from_usd(usd) for name, usd in named.items()}


def wrong(place: str, fault: str) -> InvalidRequest:
    return InvalidRequest(f"{fault}.", param=place)
