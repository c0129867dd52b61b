"""Anthropic's Messages: what callers of /v1/messages speak, and what its servers do."""
