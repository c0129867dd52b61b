"""Every change to who can answer.

Each takes its `owner` (a tenant, or None for the platform), runs in the owner's scope and raises the version of the
owner's configuration, so that every process has it before its next request.
"""
