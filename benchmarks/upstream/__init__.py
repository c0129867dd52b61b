"""A fault-injecting upstream that speaks the OpenAI wire over HTTP/1.1.

Deterministic answers, faults on request, and a journal of its own that the ledger is held against.
`python -m benchmarks.upstream --port 9100 --log journal.jsonl`; `plans.py` lists what can be asked for.
"""
