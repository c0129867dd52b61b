"""Conversations, generations and the chat pages."""
