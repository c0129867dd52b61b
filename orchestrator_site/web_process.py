"""Puts the parts of a web process together. Imported after Django's set-up alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from django.core.asgi import get_asgi_application

from gateway.metrics import record_request
from orchestrator_site.asgi_messages import Application
from orchestrator_site.front import Front
from orchestrator_site.gateway_wiring.wired import WiredGateway
from orchestrator_site.health.endpoints import HealthEndpoints
from orchestrator_site.lifespan import Lifespan, background
from orchestrator_site.metrics_exposure import MetricsEndpoint, serve_metrics_port
from orchestrator_site.settings.environment import Environment


def build(environment: Environment) -> Front:
    """Opens nothing yet: that is the lifespan's work."""
    gateway = WiredGateway(environment, record_request)

    @asynccontextmanager
    async def metrics_port() -> AsyncIterator[None]:
        if environment.metrics_port:
            async with background(lambda: serve_metrics_port(environment.metrics_port), "metrics port"):
                yield
        else:
            yield

    return Front(
        lifespan=Lifespan(metrics_port, gateway.opened),
        gateway=gateway,
        django=cast(Application, get_asgi_application()),
        health=HealthEndpoints(environment, lambda: gateway.checkup, gateway.provider_health),
        metrics=MetricsEndpoint(environment.metrics_token),
        record=record_request,
        cors_origins=environment.cors_origins,
    )
