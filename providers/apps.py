from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from providers.due import look_soon  # noqa: PLC0415 - models cannot be imported before they are loaded
        from providers.signals import provider_created  # noqa: PLC0415

        provider_created.connect(look_soon, dispatch_uid="look at a new provider soon")
