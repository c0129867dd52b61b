"""The platform's providers that the environment asks for, as a catalogue."""

import re
from decimal import Decimal
from typing import Protocol

from common.errors import UpstreamError
from providers.catalogue_file import CatalogueFile, ModelEntry, PriceEntry, ProviderEntry
from providers.client.discovery import list_models
from providers.egress.configured import resolver
from providers.price_list import find_model, listed_provider

# The families that answer on chat completions; the rest of OpenAI's list speaks other APIs.
OPENAI_CHAT = re.compile(
    r"gpt-4o(-mini)?|gpt-4\.1(-mini|-nano)?|gpt-[5-9](\.\d+)?(-(mini|nano|sol|terra|luna|astra))?|o[1-9](-mini)?"
)
MISTRAL_CHAT = (
    "mistral-large-latest",
    "mistral-medium-latest",
    "mistral-small-latest",
    "magistral-medium-latest",
    "magistral-small-latest",
    "ministral-8b-latest",
    "ministral-3b-latest",
    "codestral-latest",
)
FREE = PriceEntry(input=Decimal(0), output=Decimal(0))
# Not what any vendor charges: visible sums in a first look at usage.
DEMO_MODELS = (
    ModelEntry(
        name="demo-chat",
        display_name="Demo chat",
        context_window=128_000,
        capabilities=("tools", "json_schema"),
        price=PriceEntry(input=Decimal("0.15"), output=Decimal("0.60"), cache_read=Decimal("0.075")),
    ),
    ModelEntry(
        name="demo-mini",
        display_name="Demo mini",
        context_window=128_000,
        capabilities=("tools", "json_schema"),
        price=PriceEntry(input=Decimal("0.05"), output=Decimal("0.20"), cache_read=Decimal("0.025")),
    ),
)


class Settings(Protocol):
    """What of the environment is read here."""

    @property
    def demo_provider_url(self) -> str: ...
    @property
    def demo_provider_key(self) -> str: ...
    @property
    def openai_api_key(self) -> str: ...
    @property
    def mistral_api_key(self) -> str: ...
    @property
    def anthropic_api_key(self) -> str: ...
    @property
    def gemini_api_key(self) -> str: ...
    @property
    def ollama_host(self) -> str: ...


def from_environment(environment: Settings) -> tuple[CatalogueFile, list[str]]:
    """The catalogue, and notices on what was asked for and is not there."""
    found: list[ProviderEntry] = []
    notices: list[str] = []
    if environment.demo_provider_url:
        key_env = "DEMO_PROVIDER_KEY" if environment.demo_provider_key else ""
        found.append(
            ProviderEntry(name="demo", base_url=environment.demo_provider_url, key_env=key_env, models=DEMO_MODELS)
        )
    if environment.openai_api_key:
        found.append(openai())
    if environment.mistral_api_key:
        found.append(mistral())
    if environment.ollama_host:
        found.append(ollama(environment.ollama_host, notices))
    for vendor, key in (("ANTHROPIC", environment.anthropic_api_key), ("GEMINI", environment.gemini_api_key)):
        if key:
            notices.append(f"{vendor}_API_KEY is set, but that vendor's wire format is not spoken yet: passed over.")
    return CatalogueFile(providers=tuple(found)), notices


def openai() -> ProviderEntry:
    ids = sorted(
        model.id for model in listed_provider("openai").models if model.rates and OPENAI_CHAT.fullmatch(model.id)
    )
    return ProviderEntry(
        name="openai",
        base_url="https://api.openai.com/v1",
        key_env="OPENAI_API_KEY",
        price_provider="openai",
        models=tuple(listed_entry("openai", name) for name in ids),
    )


def mistral() -> ProviderEntry:
    priced = [name for name in MISTRAL_CHAT if (listed := find_model("mistral", name)) and listed.rates]
    return ProviderEntry(
        name="mistral",
        base_url="https://api.mistral.ai/v1",
        key_env="MISTRAL_API_KEY",
        price_provider="mistral",
        models=tuple(listed_entry("mistral", name) for name in priced),
    )


def ollama(host: str, notices: list[str]) -> ProviderEntry:
    """Through its OpenAI-compatible endpoint, with the models it has now, at no price."""
    base_url = f"{host if '://' in host else f'http://{host}'}".rstrip("/") + "/v1"
    try:
        names = list_models(base_url, resolver().places, "platform")
    except UpstreamError as error:
        notices.append(f"OLLAMA_HOST: {error.message} Its models are offered once it is asked again and answers.")
        names = ()
    return ProviderEntry(
        name="ollama", base_url=base_url, models=tuple(ModelEntry(name=name, price=FREE) for name in names)
    )


def listed_entry(provider_id: str, name: str) -> ModelEntry:
    listed = find_model(provider_id, name)
    return ModelEntry(name=name, context_window=listed.context_window if listed else None)
