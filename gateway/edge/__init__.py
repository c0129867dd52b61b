"""Where completions come in over HTTP: a small ASGI app that stands before Django."""
