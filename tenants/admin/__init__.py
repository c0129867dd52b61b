"""The operators' pages on tenants and people. They change things through the actions alone."""

from tenants.admin import api_keys, domains, people, plans, teams, tenants

__all__ = ["api_keys", "domains", "people", "plans", "teams", "tenants"]
