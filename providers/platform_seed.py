"""The platform's providers that the environment asks for, as a catalogue."""

from decimal import Decimal
from typing import Protocol

from common.errors import UpstreamError
from providers.catalogue_file import CatalogueFile, ModelEntry, PriceEntry, ProviderEntry
from providers.client.discovery import list_models
from providers.egress.configured import resolver
from providers.templates.built_in import built_in_templates, context_window, default_models
from providers.templates.document import API_KEY
from providers.templates.filling import fill

# What the environment calls the keys of vendors that have a template here.
VENDORS = ("openai", "mistral", "anthropic", "gemini")
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
    found += [vendor(name) for name in VENDORS if getattr(environment, f"{name}_api_key")]
    if environment.ollama_host:
        found.append(ollama(environment.ollama_host, notices))
    return CatalogueFile(providers=tuple(found)), notices


def vendor(name: str) -> ProviderEntry:
    """What the vendor's template makes, with the models that it names."""
    template = built_in_templates()[name]
    values = fill(template, {API_KEY: "the environment's"}).values
    return ProviderEntry(
        name=name,
        base_url=values["base_url"],
        wire=template.wire,
        key_env=f"{name.upper()}_API_KEY",
        price_provider=template.price_provider,
        headers=values["headers"],
        models=tuple(
            ModelEntry(name=model, context_window=context_window(template, model)) for model in default_models(template)
        ),
        template=name,
        quirks=values["quirks"],
        credential_header=values["credential_header"],
        default_model=template.default_model,
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
