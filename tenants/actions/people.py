"""People, and what they are in a tenant: their roles are in the configuration of their keys."""

from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from common.errors import Conflict, InvalidRequest, NotFound
from tenants.actions.rows import unique_or
from tenants.config_version import raise_version
from tenants.door import in_open_scope, in_platform_scope
from tenants.identity import TenantRef
from tenants.models import Membership, User
from tenants.roles import Role


@in_platform_scope
def create_user(*, email: str, password: str | None = None, name: str = "", is_operator: bool = False) -> UUID:
    """A person's id. Without a password they cannot sign in by one. Raises InvalidRequest and Conflict."""
    user = User(email=checked_email(email), name=name, is_staff=is_operator, is_superuser=is_operator)
    if password is None:
        user.set_unusable_password()
    else:
        check_password(password, user)
        user.set_password(password)
    with unique_or("There is an account with this e-mail address already.", param="email"):
        user.save(force_insert=True)
    return user.id


@in_platform_scope
def change_user(*, user_id: UUID, name: str, is_active: bool) -> None:
    """Raises NotFound. A person who is not active cannot sign in."""
    if not User.objects.filter(id=user_id).update(name=name, is_active=is_active):
        raise NotFound("There is no such person.", param="user")


@in_platform_scope
def set_password(*, user_id: UUID, password: str) -> None:
    """Raises NotFound, and InvalidRequest for a password that is too weak."""
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound("There is no such person.", param="user")
    check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


@in_platform_scope
def find_user(email: str) -> UUID | None:
    return User.objects.filter(email__iexact=email.strip()).values_list("id", flat=True).first()


@in_open_scope
def add_member(*, tenant: TenantRef, user_id: UUID, role: str) -> UUID:
    """The membership's id. Raises InvalidRequest for an unknown role, Conflict for a member."""
    wanted = checked_role(role)
    with unique_or(f"This person is a member of {tenant.slug} already.", param="user"):
        made = Membership.objects.create(tenant_id=tenant.id, user_id=user_id, role=wanted)
    raise_version(tenant.id)
    return made.id


@in_open_scope
def change_role(*, tenant: TenantRef, user_id: UUID, role: str) -> None:
    """Raises InvalidRequest, NotFound, and Conflict when the tenant would be left without an owner."""
    wanted = checked_role(role)
    membership = find_membership(tenant, user_id)
    if wanted != Role.OWNER:
        keep_an_owner(membership)
    membership.role = wanted
    membership.save(update_fields=["role"])
    raise_version(tenant.id)


@in_open_scope
def remove_member(*, tenant: TenantRef, user_id: UUID) -> None:
    """Raises NotFound, and Conflict when the tenant would be left without an owner."""
    membership = find_membership(tenant, user_id)
    keep_an_owner(membership)
    membership.delete()
    raise_version(tenant.id)


def find_membership(tenant: TenantRef, user_id: UUID) -> Membership:
    membership = Membership.objects.filter(tenant_id=tenant.id, user_id=user_id).first()
    if membership is None:
        raise NotFound(f"This person is not a member of {tenant.slug}.", param="user")
    return membership


def keep_an_owner(membership: Membership) -> None:
    """Locks the tenant's owners, so that two of them cannot leave at the same moment."""
    owners = Membership.objects.select_for_update().filter(tenant_id=membership.tenant_id, role=Role.OWNER)
    if {owner.id for owner in owners} == {membership.id}:
        raise Conflict("A tenant keeps at least one owner.", param="role")


def checked_role(role: str) -> str:
    if role not in list(Role):
        raise InvalidRequest(f"Unknown role {role!r}. There are {', '.join(Role)}.", param="role")
    return str(role)


def checked_email(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidRequest(f"{email!r} is not an e-mail address.", param="email") from error
    return address


def check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidRequest(" ".join(error.messages), param="password") from error
