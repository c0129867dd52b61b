"""Providers made from templates, and the templates of an owner."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from common.errors import Conflict, InvalidRequest, NotFound
from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.actions.rows import save_valid
from providers.models import ProviderTemplate
from providers.scope import Owner, in_owner_scope
from providers.signals import Change, tell
from providers.templates.built_in import built_in_templates, context_window, default_models
from providers.templates.document import API_KEY, Template, read_template
from providers.templates.filling import fill
from providers.templates.own import find_template

MOST_TEMPLATES = 100


@in_owner_scope
def create_from_template(
    *, owner: Owner, template: str, name: str, values: Mapping[str, object], models: Sequence[str] | None = None
) -> UUID:
    """The provider's id. `values` fill the template's fields; `models` stand in for those that it names itself.

    Raises NotFound, Conflict, and InvalidRequest naming the field (`values.REGION`).
    """
    chosen = find_template(owner=owner, name=template)
    filled = fill(chosen, values)
    provider_id = create_provider(owner=owner, name=name, **filled.values)
    if filled.secret:
        try:
            set_credential(owner=owner, provider_id=provider_id, secret=filled.secret)
        except InvalidRequest as refused:
            raise InvalidRequest(refused.message, param=f"values.{API_KEY}") from None
    names = default_models(chosen) if models is None else models
    offer_models(owner=owner, provider_id=provider_id, offers=[offer_of(chosen, model) for model in names])
    return provider_id


@in_owner_scope
def create_template(*, owner: Owner, document: object) -> Template:
    """Raises InvalidRequest naming the place, and Conflict where there is one of this name already."""
    template = read_template(document)
    if template.name in built_in_templates():
        raise Conflict(f"'{template.name}' is a template of the platform; choose another name.", param="name")
    if template.listed_models:
        # It is run over a whole price list, and a pattern can be written to take for ever.
        raise InvalidRequest("This is for the platform's own templates; name the models.", param="listed_models")
    if ProviderTemplate.objects.count() >= MOST_TEMPLATES:
        raise Conflict(f"There are {MOST_TEMPLATES} templates already; delete one.")
    save_valid(ProviderTemplate(name=template.name, document=msgspec.to_builtins(template)))
    tell(owner, ProviderTemplate, [Change("template", template.name, "created")])
    return template


@in_owner_scope
def delete_template(*, owner: Owner, name: str) -> None:
    """Providers made from it stay as they are. Raises NotFound."""
    deleted, _ = ProviderTemplate.objects.filter(name=name).delete()
    if not deleted:
        raise NotFound(f"There is no template of your own called '{name[:100]}'.")
    tell(owner, ProviderTemplate, [Change("template", name, "removed")])


def offer_of(template: Template, model: str) -> ModelOffer:
    rate = 0 if template.free else None
    return ModelOffer(
        name=model,
        context_window=context_window(template, model),
        input_nano_per_mtok=rate,
        output_nano_per_mtok=rate,
    )
