"""The templates that an owner can use: those that come with the platform, and its own."""

from common.errors import NotFound
from providers.models import ProviderTemplate
from providers.scope import Owner, in_owner_scope
from providers.templates.built_in import built_in_templates
from providers.templates.document import Template, read_template


@in_owner_scope
def list_templates(*, owner: Owner) -> tuple[Template, ...]:
    return (*built_in_templates().values(), *own_templates(owner=owner))


@in_owner_scope
def own_templates(*, owner: Owner) -> tuple[Template, ...]:
    return tuple(read_template(row.document) for row in ProviderTemplate.objects.all())


@in_owner_scope
def find_template(*, owner: Owner, name: str) -> Template:
    """Raises NotFound."""
    if name in built_in_templates():
        return built_in_templates()[name]
    row = ProviderTemplate.objects.filter(name=name).first()
    if row is None:
        raise NotFound(f"There is no template '{name[:100]}'.", param="template")
    return read_template(row.document)
