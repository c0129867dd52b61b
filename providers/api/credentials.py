"""/v1/providers/{name}/credentials: what a provider knows the tenant by. Secrets go in and never come out."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from providers.actions.by_name import (
    add_credential,
    amend_credential,
    credential_of,
    provider_named,
    remove_credential,
)
from providers.api.access import reader, writer
from providers.api.answers import CredentialSchema, CredentialsSchema, page, shown_credential
from providers.api.bodies import CredentialBody, given
from providers.scope import owner_scope
from tenants.identity import TenantRef


class CredentialsView(APIView):
    @extend_schema(
        operation_id="listCredentials",
        summary="List a provider's credentials",
        description="In the order in which they are used. Scope `providers:read`.",
        responses={200: CredentialsSchema},
    )
    def get(self, request: Request, name: str) -> Response:
        with owner_scope(reader(request).tenant):
            return Response(page([shown_credential(row) for row in provider_named(name).credentials.all()]))

    @extend_schema(
        operation_id="createCredential",
        summary="Add a credential",
        description="409 for a label that the provider has already. Scope `providers:write`.",
        request=CredentialBody,
        responses={201: CredentialSchema},
    )
    def post(self, request: Request, name: str) -> Response:
        tenant = writer(request).tenant
        with owner_scope(tenant):
            provider_named(name)
        made = add_credential(owner=tenant, provider=name, **given(CredentialBody, request))
        return Response(shown(tenant, name, made), status=201)


class CredentialView(APIView):
    @extend_schema(
        operation_id="changeCredential",
        summary="Change a credential, or write its secret anew",
        description="What is left out stays as it is. Scope `providers:write`.",
        request=CredentialBody,
        responses={200: CredentialSchema},
    )
    def patch(self, request: Request, name: str, credential_id: UUID) -> Response:
        tenant = writer(request).tenant
        with owner_scope(tenant):
            credential_of(name, credential_id)
        changes = given(CredentialBody, request, partial=True)
        secret = changes.pop("secret", None)
        amend_credential(owner=tenant, provider=name, credential_id=credential_id, secret=secret, **changes)
        return Response(shown(tenant, name, credential_id))

    @extend_schema(
        operation_id="deleteCredential",
        summary="Remove a credential",
        description="Scope `providers:write`.",
        responses={204: None},
    )
    def delete(self, request: Request, name: str, credential_id: UUID) -> Response:
        remove_credential(owner=writer(request).tenant, provider=name, credential_id=credential_id)
        return Response(status=204)


def shown(tenant: TenantRef, name: str, credential_id: UUID) -> dict[str, Any]:
    with owner_scope(tenant):
        return shown_credential(credential_of(name, credential_id))
