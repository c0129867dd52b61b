"""What can go wrong with the embedded services."""


class EmbeddedServiceError(Exception):
    """A service cannot be had; the message says which, why, and what would help."""
