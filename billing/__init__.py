"""Pricing, the ledger, limits and reports."""
