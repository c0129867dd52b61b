"""Who is asking. All of these live in the public schema."""

from tenants.models.api_key import ApiKey
from tenants.models.domain import Domain
from tenants.models.membership import Membership
from tenants.models.plan import Plan
from tenants.models.platform_config import PlatformConfig
from tenants.models.team import Team, TeamMember
from tenants.models.tenant import Tenant
from tenants.models.user import User

__all__ = ["ApiKey", "Domain", "Membership", "Plan", "PlatformConfig", "Team", "TeamMember", "Tenant", "User"]
