from typing import Any, cast

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        post_migrate.connect(create_months_ahead, sender=self)


def create_months_ahead(**_: Any) -> None:
    """After migrations of the public schema the ledger has its months."""
    from datetime import UTC, datetime  # noqa: PLC0415 - models are not loaded when this module is

    from django.db import connection  # noqa: PLC0415

    from billing.ledger.partitions import create_partitions, partitions_exist  # noqa: PLC0415

    if cast(Any, connection).schema_name == "public" and partitions_exist():
        create_partitions(today=datetime.now(UTC).date())
