"""Requests that are done once: who sends one again with the same `Idempotency-Key` gets what the first was answered
(datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header).

PostgreSQL alone knows, so that a flush of Redis changes nothing. `claims` makes a request's claim of its headers and
body, `store` keeps claims and answers.
"""
