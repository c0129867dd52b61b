"""The web process: pooled connections, handed back clean."""

from orchestrator_site.settings.base import *  # noqa: F403
from orchestrator_site.settings.base import DATABASES, ENVIRONMENT
from tenants.db_backend.reset import forget_tenant

DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": ENVIRONMENT.connection_pool_size,
    "timeout": 5,
    "reset": forget_tenant,
}
