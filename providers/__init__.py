"""Who can answer and in which words: wire formats, catalogue, credentials, the upstream client."""
