"""Limits: what a caller may use, and how fast."""
