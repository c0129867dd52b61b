"""Wiring only: settings, URLs, ASGI, Celery, the embedded services and the commands that run them."""
