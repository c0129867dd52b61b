"""Rows that say who can answer. Platform rows live in the public schema, a tenant's own in its schema."""

from providers.models.change import ConfigChange
from providers.models.credential import Credential
from providers.models.offered_model import OfferedModel
from providers.models.provider import Provider
from providers.models.route import Route, RouteTarget
from providers.models.template import ProviderTemplate

__all__ = ["ConfigChange", "Credential", "OfferedModel", "Provider", "ProviderTemplate", "Route", "RouteTarget"]
