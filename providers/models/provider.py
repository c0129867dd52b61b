"""A vendor, or a server of one's own: data, no code."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from common.errors import InvalidRequest
from common.ids import new_id
from providers.models.names import MODEL_NAME, PROVIDER_NAME
from providers.quirks import quirks_of
from providers.wire.plugins import entry_point_wires
from providers.wire_names import BUILT_IN_WIRES

MOST_MARK_UP = 1_000_000
SHORTEST_HEALTH_INTERVAL = 10


def check_wire(value: str) -> None:
    if value not in wire_names():
        raise ValidationError(f"Use one of {', '.join(wire_names())}.")


def wire_names() -> tuple[str, ...]:
    """Our own, and those that are installed."""
    return (*BUILT_IN_WIRES, *entry_point_wires())


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
FRAMING = {
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
SECRET_HEADERS = {"authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"}
NOT_FOR_PROVIDERS = {*FRAMING, *SECRET_HEADERS}
# They are kept in memory, and sent with every call.
MOST_HEADERS = 50
LONGEST_HEADERS = 16_000


def check_headers(value: object) -> None:
    """An object of header names and plain values; none that carries a secret or frames the message."""
    if not isinstance(value, dict):
        raise ValidationError("Use an object of header names and values.")
    if len(value) > MOST_HEADERS or sum(len(f"{name}{text}") for name, text in value.items()) > LONGEST_HEADERS:
        raise ValidationError(f"Use {MOST_HEADERS} headers at most, of {LONGEST_HEADERS} characters together.")
    for name, text in value.items():
        if not HEADER_NAME.fullmatch(name) or not isinstance(text, str) or not HEADER_VALUE.fullmatch(text):
            raise ValidationError(f"The header {name!r} is not one that HTTP allows.")
        if name.lower() in NOT_FOR_PROVIDERS:
            raise ValidationError(f"The header {name!r} is set by the platform; a secret belongs in a credential.")


SECRET_PLACE = "{{API_KEY}}"  # noqa: S105 where it goes, not what it is


def check_credential_header(value: str) -> None:
    """`name: text` with the place of the secret in the text, or nothing for the wire's own."""
    name, colon, text = value.partition(":")
    fits = colon and HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(text) and text.count(SECRET_PLACE) == 1
    if name.lower() in FRAMING:
        raise ValidationError(f"The header {name!r} is set by the platform; a secret goes into another.")
    if value and not fits:
        raise ValidationError(f'Use "header: {SECRET_PLACE}", with a word before the secret if the vendor wants one.')


def check_quirks(value: object) -> None:
    try:
        quirks_of(value)
    except InvalidRequest as refused:
        raise ValidationError(refused.message) from None


def check_plans(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in value):
        raise ValidationError("Use a list of names of plans; an empty one offers it to everyone.")


def seconds(default: float, about: str) -> "models.FloatField[float, float]":
    return models.FloatField(default=default, validators=[MinValueValidator(0.001)], help_text=about)


class Provider(models.Model):
    """`headers` are sent with every call and hold no secret; the secret is a Credential.

    `price_provider_id` is the provider's id in genai-prices; empty means that only overrides price it. `template` names
    what it was made from. `mark_up_basis_points` (1/10,000 of the cost) and `offered_to_plans` are for the platform.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[PROVIDER_NAME])
    template = models.CharField(max_length=63, blank=True, default="")
    wire = models.CharField(max_length=63, default="openai", validators=[check_wire])
    base_url = models.CharField(
        max_length=500, validators=[check_base_url], help_text="Up to and including the version, such as …/v1."
    )
    price_provider_id = models.CharField(max_length=63, blank=True, default="")
    headers = models.JSONField(default=dict, blank=True, validators=[check_headers])
    credential_header = models.CharField(
        max_length=200,
        blank=True,
        default="",
        validators=[check_credential_header],
        help_text=f'How the secret is shown, such as "api-key: {SECRET_PLACE}"; empty for the usual way of the wire.',
    )
    quirks = models.JSONField(
        default=dict, blank=True, validators=[check_quirks], help_text="Differences from the wire format."
    )
    default_model = models.CharField(max_length=200, blank=True, default="", validators=[MODEL_NAME])
    health_interval_seconds = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(SHORTEST_HEALTH_INTERVAL), MaxValueValidator(86_400)],
        help_text="Between two checks of its health.",
    )
    mark_up_basis_points = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(MOST_MARK_UP)], help_text="Added to the cost; 250 is 2.5%."
    )
    offered_to_plans = models.JSONField(
        default=list, blank=True, validators=[check_plans], help_text="Names of plans; an empty list is everyone."
    )
    connect_seconds = seconds(5.0, "To connect.")
    first_byte_seconds = seconds(60.0, "From the request sent to the first byte of the answer.")
    between_chunks_seconds = seconds(60.0, "Between two chunks of a streamed answer.")
    first_chunk_seconds = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001)],
        help_text="From the headers of a streamed answer to its first words; empty for no limit of its own.",
    )
    total_seconds = seconds(1800.0, "For a whole call; the platform's own limits apply as well.")
    most_at_once = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Completions under way at once, of all processes together; empty for no limit.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
