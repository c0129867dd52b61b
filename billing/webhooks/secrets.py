"""Secrets of webhooks: made here, sealed as long as they rest, opened to sign and shown once."""

import base64
import os
from datetime import datetime
from typing import Final

from standardwebhooks import Webhook

from billing.webhooks.models import WebhookEndpoint
from common.crypto import Place
from providers.scope import keyring

PREFIX: Final = "whsec_"
# The specification asks for 24 to 64.
SECRET_BYTES: Final = 32


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """As the specification has it told to whoever verifies."""
    return PREFIX + base64.b64encode(secret).decode()


def place(row: WebhookEndpoint, field: str) -> Place:
    return Place(tenant=str(row.tenant_id), row=str(row.id), field=f"webhook_{field}")


def sealed(row: WebhookEndpoint, field: str, secret: bytes) -> bytes:
    return keyring().encrypt(secret, place=place(row, field))


def opened(row: WebhookEndpoint, field: str) -> bytes:
    """Raises common.crypto.SecretUnreadable."""
    return keyring().decrypt(bytes(getattr(row, field)), place=place(row, field))


def opened_all(row: WebhookEndpoint, now: datetime) -> tuple[bytes, ...]:
    """Those that sign now, the newest first. Raises common.crypto.SecretUnreadable."""
    until = row.previous_secret_until
    both = row.previous_secret is not None and until is not None and now < until
    return tuple(opened(row, field) for field in ("secret", "previous_secret")[: 2 if both else 1])


def signatures(secrets: tuple[bytes, ...], message_id: str, moment: datetime, body: str) -> str:
    """The header `webhook-signature`. `moment` is the attempt's, in UTC."""
    return " ".join(Webhook(each).sign(message_id, moment, body) for each in secrets)
