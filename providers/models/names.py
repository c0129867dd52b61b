"""How providers and models may be called."""

from django.core.validators import RegexValidator

PROVIDER_NAME = RegexValidator(
    r"^[a-z0-9][a-z0-9._-]{0,62}\Z", "Use lower-case letters, digits, dots, hyphens and underscores; no slash."
)
MODEL_NAME = RegexValidator(r"^[!-~]{1,200}\Z", "Use printable ASCII characters without spaces.")
