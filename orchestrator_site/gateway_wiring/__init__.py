"""Builds the gateway from the rooms below it, and keeps it fed while the process runs."""
