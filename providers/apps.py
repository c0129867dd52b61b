from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from django.core.signals import request_finished  # noqa: PLC0415 - models cannot be imported before they are loaded

        from providers.due import look_soon  # noqa: PLC0415
        from providers.history import act_as_nobody, record  # noqa: PLC0415
        from providers.signals import config_changed, provider_created  # noqa: PLC0415

        provider_created.connect(look_soon, dispatch_uid="look at a new provider soon")
        config_changed.connect(record, dispatch_uid="keep what was changed")
        request_finished.connect(act_as_nobody, dispatch_uid="nobody changes anything after a request")
