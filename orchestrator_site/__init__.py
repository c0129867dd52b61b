"""Wiring only: settings, URLs, ASGI, Celery, the embedded services and the commands that run them."""

__version__ = "0.1.0"
