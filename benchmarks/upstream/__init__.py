"""A fault-injecting upstream that speaks the OpenAI and the Anthropic wire over HTTP/1.1.

Deterministic answers, faults on request, and a journal of its own that the ledger is held against.
`python -m benchmarks.upstream --port 9100 --log journal.jsonl`; `--help` lists all that can be asked for.
"""
