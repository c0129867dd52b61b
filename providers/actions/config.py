"""A whole configuration taken in: all of it, or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from common.errors import Conflict
from providers.actions.by_name import add_provider, amend_provider, provider_named
from providers.actions.catalogue import placed
from providers.actions.credentials import change_credential, holds, set_credential
from providers.actions.models import ModelOffer
from providers.actions.routes import change_route, create_route
from providers.actions.templates import create_template, delete_template
from providers.documents import provider_document, route_document, template_document
from providers.models import Provider, ProviderTemplate, Route
from providers.scope import Owner, in_owner_scope
from providers.whole_config import Secrets

NAMES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """One provider, route or template. `values` by the names of its fields; a provider's `offers` are its models."""

    name: str
    values: Mapping[str, Any]
    offers: Sequence[ModelOffer] | None = None
    credentials: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did, or would do, each by its path: `providers/openai`. `missing_secrets`: credentials of which
    neither the document nor the tenant has the secret, so that they are not there."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    missing_secrets: list[str] = field(default_factory=list)

    def note(self, path: str, before: object, after: object) -> None:
        fate = self.created if before is None else self.unchanged if before == after else self.changed
        fate.append(path)


@in_owner_scope
def import_config(
    *,
    owner: Owner,
    providers: Sequence[Arrival],
    routes: Sequence[Arrival],
    templates: Sequence[Arrival],
    secrets: Secrets,
    replace: bool,
    dry_run: bool,
) -> Taken:
    """What is there and not named stays. The same again changes nothing.

    Raises InvalidRequest with the place in `param`, and Conflict naming what is there already in another form, unless
    that is to be replaced or it is a dry run, which tells it as changed.
    """
    taken = Taken()
    each_of(templates, "templates", taken, template_state, lambda each: take_template(owner, each))
    each_of(providers, "providers", taken, provider_state, lambda each: take_provider(owner, each, secrets, taken))
    each_of(routes, "routes", taken, route_state, lambda each: take_route(owner, each))
    if taken.changed and not (replace or dry_run):
        more = ", …" if len(taken.changed) > NAMES_SHOWN else ""
        raise Conflict(
            f"There already, and not the same: {', '.join(taken.changed[:NAMES_SHOWN])}{more}. "
            'Nothing was imported; with "on_conflict": "replace" they are overwritten.',
            param="on_conflict",
        )
    if dry_run:
        transaction.set_rollback(True)
    return taken


def each_of(
    arrivals: Sequence[Arrival],
    kind: str,
    taken: Taken,
    state: Callable[[str], object],
    take: Callable[[Arrival], None],
) -> None:
    for i, each in enumerate(arrivals):
        before = state(each.name)
        with placed(f"config.{kind}[{i}]"):
            take(each)
        taken.note(f"{kind}/{each.name}", before, state(each.name))


def provider_state(name: str) -> object:
    """With the sealed secrets: one that is written anew is a change."""
    row = Provider.objects.filter(name=name).prefetch_related("offered_models", "credentials").first()
    return row and (provider_document(row), {each.label: bytes(each.secret) for each in row.credentials.all()})


def route_state(name: str) -> object:
    row = Route.objects.filter(name=name).prefetch_related("targets").first()
    return row and route_document(row)


def template_state(name: str) -> object:
    row = ProviderTemplate.objects.filter(name=name).first()
    return row and template_document(row)


def take_provider(owner: Owner, arrival: Arrival, secrets: Secrets, taken: Taken) -> None:
    parts: dict[str, Any] = {"owner": owner, "name": arrival.name, "secret": None, "offers": arrival.offers}
    if Provider.objects.filter(name=arrival.name).exists():
        amend_provider(changes=arrival.values, **parts)
    else:
        add_provider(values=arrival.values, **parts)
    for i, credential in enumerate(arrival.credentials):
        with placed(f"credentials[{i}]"):
            secret = secrets.get(arrival.name, {}).get(credential["label"])
            take_credential(owner, arrival.name, credential, secret, taken)


def take_credential(owner: Owner, provider: str, values: Mapping[str, Any], secret: str | None, taken: Taken) -> None:
    row = provider_named(provider)
    known = row.credentials.filter(label=values["label"]).first()
    credential_id = known.id if known else None
    # Writing it anew would be a change, and a switched-off credential is written anew though it is the same.
    if secret is not None and not (known and holds(known, owner, secret.encode())):
        credential_id = set_credential(owner=owner, provider_id=row.id, secret=secret, label=values["label"])
    if credential_id is None:
        taken.missing_secrets.append(f"providers/{provider}/credentials/{values['label']}")
    else:
        change_credential(owner=owner, credential_id=credential_id, **values)


def take_route(owner: Owner, arrival: Arrival) -> None:
    known = Route.objects.filter(name=arrival.name).values_list("id", flat=True).first()
    if known is None:
        create_route(owner=owner, name=arrival.name, **arrival.values)
    else:
        change_route(owner=owner, route_id=known, name=arrival.name, **arrival.values)


def take_template(owner: Owner, arrival: Arrival) -> None:
    """A template has no parts that could be changed alone."""
    known = template_state(arrival.name)
    if known is not None and known != arrival.values:
        delete_template(owner=owner, name=arrival.name)
    if known != arrival.values:
        create_template(owner=owner, document=arrival.values)
