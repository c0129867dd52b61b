from typing import Any, cast

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing.webhooks.configuration import tell_of_configuration  # noqa: PLC0415 - models are not loaded before
        from billing.webhooks.rewrapping import rewrap_endpoints  # noqa: PLC0415
        from providers.actions.rewrapping import batches  # noqa: PLC0415
        from providers.signals import announced  # noqa: PLC0415

        post_migrate.connect(create_months_ahead, sender=self)
        announced.connect(tell_of_configuration, dispatch_uid="tell webhooks of configuration")
        batches.append(rewrap_endpoints)


def create_months_ahead(**_: Any) -> None:
    """After migrations of the public schema the ledger has its months."""
    from datetime import UTC, datetime  # noqa: PLC0415 - models are not loaded when this module is

    from django.db import connection  # noqa: PLC0415

    from billing.ledger.partitions import create_partitions, partitions_exist  # noqa: PLC0415

    if cast(Any, connection).schema_name == "public" and partitions_exist():
        create_partitions(today=datetime.now(UTC).date())
