"""/v1/webhooks: where a tenant is told of events, what came of telling it, and telling it again."""

from datetime import UTC, datetime
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.webhooks.bodies import ChangedWebhookBody, ReplayBody, WebhookBody
from billing.webhooks.deliveries import deliveries_of, replay, replay_failed, try_out
from billing.webhooks.documents import (
    DeliveriesSchema,
    DeliverySchema,
    NewWebhookSchema,
    ReplayedSchema,
    WebhookSchema,
    WebhooksSchema,
    delivery_document,
    endpoint_document,
)
from billing.webhooks.endpoints import (
    MOST_ENDPOINTS,
    OVERLAP,
    ShownSecret,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    endpoint_of,
    endpoints_of,
    rotate_secret,
)
from billing.webhooks.listing import FILTERS, parse_listing
from billing.webhooks.purging import KEPT
from providers.api.answers import page
from providers.api.bodies import given
from providers.api.listing import DEFAULT_LIMIT, MOST
from tenants.api_authentication import Caller, caller_with
from tenants.door import tenant_scope
from tenants.identity import TenantRef
from tenants.scopes import Scope
from tenants.states import check_writable


def reader(request: Request) -> TenantRef:
    """Raises PermissionDenied."""
    return caller_with(request, Scope.WEBHOOKS_READ).tenant


def writer(request: Request) -> TenantRef:
    """Raises PermissionDenied, for a tenant that is read-only as well."""
    caller: Caller = caller_with(request, Scope.WEBHOOKS_WRITE)
    check_writable(caller.state)
    return caller.tenant


class WebhooksView(APIView):
    @extend_schema(
        operation_id="listWebhooks",
        summary="List your webhooks",
        description=f"The oldest first; there are {MOST_ENDPOINTS} at most. Scope `webhooks:read`.",
        responses={200: WebhooksSchema},
    )
    def get(self, request: Request) -> Response:
        tenant = reader(request)
        with tenant_scope(tenant):
            return Response(page([endpoint_document(row) for row in endpoints_of(tenant)]))

    @extend_schema(
        operation_id="createWebhook",
        summary="Add a webhook",
        description="The answer alone holds its secret: keep it. Scope `webhooks:write`.",
        request=WebhookBody,
        responses={201: NewWebhookSchema},
    )
    def post(self, request: Request) -> Response:
        tenant = writer(request)
        made = create_endpoint(tenant=tenant, **given(WebhookBody, request))
        return Response(with_secret(tenant, made), status=201, headers={"cache-control": "no-store"})


class WebhookView(APIView):
    @extend_schema(
        operation_id="retrieveWebhook",
        summary="Look at one webhook",
        description="Whether it fails, and whether and why it was switched off. Scope `webhooks:read`.",
        responses={200: WebhookSchema},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return shown(reader(request), webhook_id)

    @extend_schema(
        operation_id="changeWebhook",
        summary="Change a webhook",
        description=(
            "What is left out stays as it is. Switching it on again sends what waited; what failed for good is sent "
            "again one by one. Scope `webhooks:write`."
        ),
        request=ChangedWebhookBody,
        responses={200: WebhookSchema},
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        tenant = writer(request)
        changes = given(ChangedWebhookBody, request, partial=True)
        change_endpoint(tenant=tenant, endpoint_id=webhook_id, **changes)
        return shown(tenant, webhook_id)

    @extend_schema(
        operation_id="deleteWebhook",
        summary="Remove a webhook",
        description="With the record of its deliveries. Scope `webhooks:write`.",
        responses={204: None},
    )
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        delete_endpoint(tenant=writer(request), endpoint_id=webhook_id)
        return Response(status=204)


class TrialView(APIView):
    @extend_schema(
        operation_id="testWebhook",
        summary="Send a webhook a test event",
        description=(
            "`webhook.test`, at once, switched on or not, and once only; the answer is what came of it. "
            "Scope `webhooks:write`."
        ),
        request=None,
        responses={200: DeliverySchema},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        made = try_out(tenant=writer(request), endpoint_id=webhook_id, now=now_utc())
        return Response(delivery_document(made))


class RotateView(APIView):
    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Give a webhook a new secret",
        description=(
            f"The one before signs beside it for {OVERLAP.total_seconds() / 3600:g} hours. The answer alone holds the "
            "new one. Scope `webhooks:write`."
        ),
        request=None,
        responses={200: NewWebhookSchema},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        tenant = writer(request)
        made = rotate_secret(tenant=tenant, endpoint_id=webhook_id, now=now_utc())
        return Response(with_secret(tenant, made), headers={"cache-control": "no-store"})


class DeliveriesView(APIView):
    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="List what a webhook was sent",
        description=f"The newest first, of the last {KEPT.days} days. Scope `webhooks:read`.",
        parameters=[
            OpenApiParameter("limit", int, description=f"Most entries, 1 to {MOST}; {DEFAULT_LIMIT} without it."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="The id of the last entry seen."),
            OpenApiParameter("status", str, enum=FILTERS["status"]),
            OpenApiParameter("event_type", str, enum=FILTERS["event_type"]),
        ],
        responses={200: DeliveriesSchema},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        tenant = reader(request)
        asked = parse_listing(request.query_params.dict())
        with tenant_scope(tenant):
            endpoint_of(tenant, webhook_id)
            rows = deliveries_of(tenant).filter(endpoint_id=webhook_id, **asked.conditions).order_by("-id")
            found = [delivery_document(row) for row in rows[: asked.limit + 1]]
        return Response(page(found[: asked.limit], has_more=len(found) > asked.limit))


class ReplayView(APIView):
    @extend_schema(
        operation_id="replayWebhookDelivery",
        summary="Send an event again",
        description=(
            "Under the same `webhook-id`, whatever came of it before; with as many attempts as a new one. A webhook "
            "that is switched off gets it once it is on. Scope `webhooks:write`."
        ),
        request=None,
        responses={202: DeliverySchema},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        made = replay(tenant=writer(request), delivery_id=delivery_id, now=now_utc())
        return Response(delivery_document(made), status=202)


class ReplayFailedView(APIView):
    @extend_schema(
        operation_id="replayFailedWebhookDeliveries",
        summary="Send again all that failed",
        description="What a webhook was not told in the end, from `since` on. Scope `webhooks:write`.",
        request=ReplayBody,
        responses={202: ReplayedSchema},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        tenant = writer(request)
        since = given(ReplayBody, request)["since"]
        count = replay_failed(tenant=tenant, endpoint_id=webhook_id, since=since, now=now_utc())
        return Response({"object": "webhook.replay", "replayed": count}, status=202)


def now_utc() -> datetime:
    return datetime.now(UTC)


def shown(tenant: TenantRef, webhook_id: UUID) -> Response:
    with tenant_scope(tenant):
        return Response(endpoint_document(endpoint_of(tenant, webhook_id)))


def with_secret(tenant: TenantRef, made: ShownSecret) -> dict[str, object]:
    with tenant_scope(tenant):
        return endpoint_document(endpoint_of(tenant, made.endpoint_id)) | {"secret": made.secret}
