"""The OpenAPI document: DRF's views as drf-spectacular sees them, and by hand what is served before Django."""
