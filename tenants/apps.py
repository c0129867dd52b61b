from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        # Imported for its effect: the class registers itself with drf-spectacular.
        from tenants import api_schema  # noqa: F401, PLC0415
