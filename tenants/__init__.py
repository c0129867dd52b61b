"""Who is asking: tenants, domains, users, memberships, API keys, audit, and the door to a tenant's tables."""
