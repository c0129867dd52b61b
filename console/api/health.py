"""GET /v1/health/providers and /v1/health/providers/{name}: what looks at providers found, and what the ledger says."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.statistics import Performance, Spread, Subject, statistics
from common.errors import InvalidRequest, NotFound
from console.api.asking import query_of
from console.api.health_schemas import ProviderHealthSchema, ProviderHealthsSchema
from console.api.performance import rendered_performance, rendered_spread
from providers.card_filters import single, whole_number
from providers.checks import Check
from providers.circuits import PLATFORM, CircuitState, owner_name
from providers.circuits_now import circuits_of_providers
from providers.watched import CredentialHealth, Health, Watched, healths, watched_by
from tenants.api_authentication import Caller, caller_with
from tenants.scopes import Scope
from tenants.snapshots import load_identity

DAY: Final = timedelta(days=1)
STATUSES: Final = ("healthy", "failing", "unknown")
PAGE: Final = 100
LARGEST_PAGE: Final = 200

# By (provider, scope).
Traffic = dict[tuple[str, str], Performance]
Circuits = dict[tuple[str, str], CircuitState]


class ProviderHealthsView(APIView):
    """How the providers are that the tenant sees."""

    @extend_schema(
        operation_id="listProviderHealth",
        summary="Health of providers",
        description=(
            "Your own providers, each looked at in its own interval, and those of the platform that you may use; "
            "sorted by name. Needs the scope `models:read`."
        ),
        parameters=[
            OpenApiParameter("status", str, enum=list(STATUSES), description="Those alone that are so."),
            OpenApiParameter("limit", int, description=f"1 to {LARGEST_PAGE}; {PAGE} without it."),
            OpenApiParameter("after", str, description="The name that the page before ended with."),
        ],
        responses={200: ProviderHealthsSchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.MODELS_READ)
        query = query_of(request, ("status", "limit", "after"))
        wanted, after = single(query, "status"), single(query, "after")
        if wanted is not None and wanted not in STATUSES:
            raise InvalidRequest(f"status must be one of {', '.join(STATUSES)}.", param="status")
        limit = whole_number(query, "limit", least=1, most=LARGEST_PAGE) or PAGE
        now = datetime.now(UTC)
        providers = [each for each in watched_of(caller) if after is None or each.name > after]
        found = [each for each in healths(caller.tenant, providers, now=now) if wanted in (None, each.status)]
        traffic, circuits = traffic_of(caller, now), circuits_of(caller)
        return Response(
            {
                "object": "list",
                "data": [rendered(each, traffic, circuits) for each in found[:limit]],
                "has_more": len(found) > limit,
            }
        )


class ProviderHealthView(APIView):
    """How one provider is."""

    @extend_schema(
        operation_id="retrieveProviderHealth",
        summary="Health of one provider",
        description="By the name in `provider/model`. Needs the scope `models:read`.",
        responses={200: ProviderHealthSchema},
    )
    def get(self, request: Request, name: str) -> Response:
        caller = caller_with(request, Scope.MODELS_READ)
        query_of(request, ())
        now = datetime.now(UTC)
        providers = [each for each in watched_of(caller) if each.name == name]
        if not providers:
            raise NotFound(f"There is no provider '{name[:100]}'.", param="name")
        (found,) = healths(caller.tenant, providers, now=now)
        return Response(rendered(found, traffic_of(caller, now), circuits_of(caller)))


def watched_of(caller: Caller) -> list[Watched]:
    plan = load_identity(caller.tenant.id).plan_name
    return watched_by(caller.tenant, plan=plan, platform_interval=settings.ENVIRONMENT.health_check_interval)


def traffic_of(caller: Caller, now: datetime) -> Traffic:
    """What the tenant's own requests saw in the last day, by (provider, scope)."""
    found = statistics(caller.tenant, since=now - DAY, until=now, group_by=Subject.PROVIDER)
    return {(row.provider, row.scope): row.performance for row in found.rows}


def circuits_of(caller: Caller) -> Circuits:
    """Those of the tenant's own providers and of the platform's that are not closed."""
    scopes: dict[str, str] = {owner_name(caller.tenant.id): "tenant", PLATFORM: "platform"}
    found = circuits_of_providers().items()
    return {(provider, scopes[owner]): state for (owner, provider), state in found if owner in scopes}


def rendered(health: Health, traffic: Traffic, circuits: Circuits) -> dict[str, Any]:
    provider = health.watched
    last = health.checks[0] if health.checks else None
    return {
        "object": "provider_health",
        "provider": provider.name,
        "scope": provider.scope,
        "enabled": provider.enabled,
        "status": health.status,
        "circuit": circuits.get((provider.name, provider.scope), "closed"),
        "last_check_at": last.at.isoformat() if last else None,
        "last_error": last.error or None if last else None,
        "check_interval_seconds": provider.interval,
        "checks": rendered_checks(health.checks),
        "credentials": [rendered_credential(each) for each in health.credentials],
        "traffic": rendered_performance(traffic.get((provider.name, provider.scope), Performance()), DAY),
    }


def rendered_checks(checks: tuple[Check, ...]) -> dict[str, Any]:
    failed = sum(bool(each.error) for each in checks)
    return {
        "count": len(checks),
        "error_rate": round(failed / len(checks), 6) if checks else None,
        "latency_ms": rendered_spread(spread([each.latency_ms for each in checks if not each.error])),
    }


def rendered_credential(health: CredentialHealth) -> dict[str, Any]:
    return {
        "id": str(health.credential.id),
        "label": health.credential.label,
        "enabled": health.credential.enabled,
        "status": health.status,
        "last_check_at": health.check_at.isoformat() if health.check_at else None,
        "latency_ms": health.latency_ms,
        "last_error": health.error or None,
    }


def spread(observed: list[float]) -> Spread:
    """Nearest rank, as in `billing.statistics`."""
    if not observed:
        return Spread()
    ranked = sorted(observed)

    def point(percent: int) -> int:
        return round(ranked[max(0, -(-percent * len(ranked) // 100) - 1)])

    return Spread(sum(ranked) / len(ranked), point(50), point(95), point(99))
