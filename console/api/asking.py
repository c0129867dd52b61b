"""What every view of this API begins with: who asks, may they, and what do they see."""

from collections.abc import Sequence

from django.conf import settings
from rest_framework.request import Request

from providers.card_filters import refuse_unknown
from providers.visible import Visible, load_visible
from tenants.api_authentication import Caller
from tenants.identity import KeyRecord
from tenants.keys import unknown_key
from tenants.snapshots import load_identity


def query_of(request: Request, known: Sequence[str]) -> dict[str, list[str]]:
    """The values of each parameter. Raises InvalidRequest for one that means nothing."""
    query = {name: list(values) for name, values in request.query_params.lists()}
    refuse_unknown(query, known or ("no parameters",))
    return query


def visible_to(caller: Caller) -> tuple[Visible, KeyRecord]:
    """The catalogues that the caller's tenant sees, and the key, whose lists may leave less of them.

    Raises Unauthenticated for a key that was revoked a moment ago.
    """
    identity = load_identity(caller.tenant.id)
    record = next((each for each in identity.keys.values() if each.id == caller.key_id), None)
    if record is None:
        raise unknown_key()
    default = identity.default_model or settings.ENVIRONMENT.default_model
    return load_visible(caller.tenant, plan=identity.plan_name, default_model=default), record
