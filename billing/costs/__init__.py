"""What a tenant's requests cost: the one place that every figure comes from."""
