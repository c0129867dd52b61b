"""The demo provider: a small server of the OpenAI chat completions wire, so that a first run needs no vendor's key."""
