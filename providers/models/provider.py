"""A vendor, or a server of one's own: data, no code."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from common.ids import new_id

PROVIDER_NAME = RegexValidator(
    r"^[a-z0-9][a-z0-9._-]{0,62}\Z", "Use lower-case letters, digits, dots, hyphens and underscores; no slash."
)


class Wire(models.TextChoices):
    OPENAI = "openai", "OpenAI chat completions"


def check_base_url(value: str) -> None:
    """http(s), a host, and nothing that would hide a secret or be cut off by the path we add."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValidationError("This is no URL.") from None
    if not usable or any(character.isspace() for character in value):
        raise ValidationError("Use an absolute URL that starts with http:// or https://.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValidationError("Leave out user name, password, query and fragment.")


HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE = re.compile(r"[\t -~]{0,4000}")
NOT_FOR_PROVIDERS = {
    "accept-encoding",
    "authorization",
    "api-key",
    "x-api-key",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def check_headers(value: object) -> None:
    """An object of header names and plain values; none that carries a secret or frames the message."""
    if not isinstance(value, dict):
        raise ValidationError("Use an object of header names and values.")
    for name, text in value.items():
        if not HEADER_NAME.fullmatch(name) or not isinstance(text, str) or not HEADER_VALUE.fullmatch(text):
            raise ValidationError(f"The header {name!r} is not one that HTTP allows.")
        if name.lower() in NOT_FOR_PROVIDERS:
            raise ValidationError(f"The header {name!r} is set by the platform; a secret belongs in a credential.")


def seconds(default: float, about: str) -> "models.FloatField[float, float]":
    return models.FloatField(default=default, validators=[MinValueValidator(0.001)], help_text=about)


class Provider(models.Model):
    """`headers` are sent with every call and hold no secret; the secret is a Credential.

    `price_provider_id` is the provider's id in genai-prices; empty means that only overrides price it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[PROVIDER_NAME])
    wire = models.CharField(max_length=20, choices=Wire.choices, default=Wire.OPENAI)
    base_url = models.CharField(
        max_length=500, validators=[check_base_url], help_text="Up to and including the version, such as …/v1."
    )
    price_provider_id = models.CharField(max_length=63, blank=True, default="")
    headers = models.JSONField(default=dict, blank=True, validators=[check_headers])
    connect_seconds = seconds(5.0, "To connect.")
    first_byte_seconds = seconds(60.0, "From the request sent to the first byte of the answer.")
    between_chunks_seconds = seconds(60.0, "Between two chunks of a streamed answer.")
    total_seconds = seconds(1800.0, "For a whole call; the platform's own limits apply as well.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
