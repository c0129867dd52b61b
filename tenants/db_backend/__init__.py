"""The database backend that would rather fail than read another tenant's rows."""
