"""OpenAI's legacy completions: a prompt that is a text."""
