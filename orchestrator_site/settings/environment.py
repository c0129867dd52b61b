"""The environment, read once into one typed value.

Every variable is a field here; its metadata is the source of `.env.example` and
`docs/configuration.md` (`manage.py write_configuration_docs`).
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from providers.egress.policy import EgressPolicy, parsed_policy

MINIMUM_SECRET_LENGTH = 32


class ConfigurationError(Exception):
    """A variable is missing or cannot be what it says; the message names it and what would be right."""


def variable(about: str, *, default: Any = dataclasses.MISSING, secret: bool = False, example: str = "") -> Any:
    """A field read from the variable of the same name in upper case; without `default` it is required."""
    metadata = {"about": about, "secret": secret, "example": example}
    return field(metadata=metadata) if default is dataclasses.MISSING else field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The whole configuration that comes from outside. Seconds unless a name says otherwise."""

    database_url: str = variable(
        "PostgreSQL 15 or later. `make run` starts its own when this is empty.",
        secret=True,
        example="postgresql://orchestrator:password@127.0.0.1:5432/orchestrator",
    )
    redis_url: str = variable(
        "Redis or Valkey, with `maxmemory-policy noeviction`. `make run` starts its own when this is empty.",
        secret=True,
        example="redis://:password@127.0.0.1:6379/0",
    )
    secret_key: str = variable("Signs sessions and CSRF tokens; at least 32 characters.", secret=True)
    encryption_key: tuple[str, ...] = variable(
        "Keys that encrypt provider secrets, each 32 bytes in URL-safe base64, comma separated; "
        "the first encrypts, all decrypt.",
        secret=True,
    )
    api_key_pepper: str = variable(
        "Mixed into the hash of API keys; at least 32 characters. Changing it revokes every key.", secret=True
    )
    orchestrator_env: Literal["local", "production"] = variable(
        "`production` turns on secure cookies and HSTS and refuses weak secrets.", default="production"
    )
    base_domain: str = variable(
        "Host of the public pages; a tenant's first host is its slug before it.", default="localhost"
    )
    port: int = variable("Port of the web process.", default=8000)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = variable("Least level written.", default="INFO")
    log_format: Literal["json", "console"] = variable("Shape of log lines.", default="json")
    default_model: str = variable(
        'What `"model": "default"` means for a tenant that set none.', default="demo/demo-chat"
    )
    max_requests_per_min: int = variable("Requests a minute for an API key that has no limit of its own.", default=600)
    request_timeout_seconds: float = variable("Longest time for a completion that is not streamed.", default=600.0)
    stream_timeout: float = variable("Longest time for a streamed completion.", default=1800.0)
    connection_pool_size: int = variable("Most database connections of a web process.", default=10)
    upstream_pool_size: int = variable("Most open connections to providers of a web process.", default=1000)
    egress_allow: tuple[str, ...] = variable(
        "Where tenants' own URLs may lead beside the public internet: networks, addresses, host names and `*.domain`, "
        "comma separated. With ORCHESTRATOR_ENV=local this machine itself is allowed as well. The platform's own "
        "providers may be anywhere but at a cloud's metadata service, which has to be allowed here by its address.",
        default=(),
        example="10.0.0.0/8,vllm.internal",
    )
    max_concurrent_requests: int = variable(
        "Completions under way at once in a web process; more get 503.", default=1000
    )
    max_body_bytes: int = variable("Largest request body, in bytes.", default=32 * 1024 * 1024)
    cors_origins: tuple[str, ...] = variable(
        "Origins whose browsers may call /v1, comma separated; `*` for all.", default=()
    )
    health_check_interval: float = variable(
        "Seconds between looks at each platform provider, shown by `/health`. Tenants' own providers have intervals of "
        "their own. 0 for no looks at any.",
        default=60.0,
    )
    model_configs: str = variable("A JSON file that seeds platform providers and routes at start.", default="")
    metrics_port: int = variable("Loopback port of /metrics; 0 for none.", default=0)
    metrics_token: str = variable(
        "Bearer token that opens /metrics on the main port; empty closes it.", default="", secret=True
    )
    drain_seconds: float = variable("Time between readiness going 503 and the listener closing.", default=0.0)
    graceful_shutdown_seconds: float = variable("Time that running answers get to finish at shutdown.", default=30.0)
    web_concurrency: int = variable("Web worker processes.", default=1)
    trusted_proxies: tuple[str, ...] = variable("Addresses whose X-Forwarded-* headers are believed.", default=())
    email_url: str = variable(
        "Mail server for password resets; without one, production sends no mail and offers no reset.",
        default="",
        secret=True,
        example="smtp+tls://user:password@mail.example.com:587",
    )
    email_from: str = variable("Sender of mail.", default="orchestrator@localhost")
    openai_api_key: str = variable("Adds OpenAI as a platform provider.", default="", secret=True)
    anthropic_api_key: str = variable("Adds Anthropic as a platform provider.", default="", secret=True)
    gemini_api_key: str = variable("Adds Google Gemini as a platform provider.", default="", secret=True)
    mistral_api_key: str = variable("Adds Mistral as a platform provider.", default="", secret=True)
    ollama_host: str = variable(
        "Adds an Ollama server as a platform provider.", default="", example="http://127.0.0.1:11434"
    )
    demo_provider_url: str = variable("The demo provider; set by `make run`.", default="")
    demo_provider_key: str = variable("The demo provider's key; set by `make run`.", default="", secret=True)
    feature_flags: tuple[str, ...] = variable("Names of features to turn on, comma separated.", default=())

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Environment":
        """Raises ConfigurationError naming every variable that is missing or wrong."""
        hints = typing.get_type_hints(cls)
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for each in dataclasses.fields(cls):
            name = each.name.upper()
            raw = environ.get(name, "").strip()
            if not raw:
                if each.default is dataclasses.MISSING:
                    wrong.append(f"{name} is not set. {each.metadata['about']}")
                continue
            try:
                values[each.name] = parse(raw, hints[each.name])
            except ValueError as error:
                wrong.append(f"{name} {error}")
        if wrong:
            raise ConfigurationError("\n".join(["The configuration is not usable:", *wrong]))
        environment = cls(**values)
        environment.check_secrets()
        try:
            environment.egress()
        except ValueError as error:
            raise ConfigurationError(f"EGRESS_ALLOW: {error}.") from None
        return environment

    def egress(self) -> EgressPolicy:
        """Raises ValueError, which `read` has ruled out."""
        own = ("127.0.0.0/8", "::1") if self.orchestrator_env == "local" else ()
        return parsed_policy((*self.egress_allow, *own))

    def check_secrets(self) -> None:
        """Raises ConfigurationError for a secret too short to protect anything."""
        for name in ("secret_key", "api_key_pepper"):
            value = getattr(self, name)
            if len(value) < MINIMUM_SECRET_LENGTH or len(set(value)) < 10:
                raise ConfigurationError(
                    f"{name.upper()} is too weak: use at least {MINIMUM_SECRET_LENGTH} random characters, for example "
                    '`python3 -c "import secrets; print(secrets.token_urlsafe(48))"`.'
                )


def parse(raw: str, hint: Any) -> Any:
    """`raw` as the annotated type. ValueError says what would be right."""
    if typing.get_origin(hint) is Literal:
        allowed = typing.get_args(hint)
        matched = next((word for word in allowed if word.lower() == raw.lower()), None)
        if matched is None:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return matched
    if typing.get_origin(hint) is tuple:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if hint in (int, float):
        return parse_number(raw, hint)
    return raw


def parse_number(raw: str, kind: type[int] | type[float]) -> int | float:
    try:
        number = kind(raw)
    except ValueError:
        raise ValueError(f"must be {'a whole number' if kind is int else 'a number'}") from None
    if number < 0:
        raise ValueError("must not be negative")
    return number
