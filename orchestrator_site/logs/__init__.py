"""Log lines: structured, with the request and the tenant they belong to, and without secrets."""
