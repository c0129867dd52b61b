"""What is measured and proven from outside: speed, memory, exactness of the ledger, isolation.

Everything here drives the platform over HTTP. The files that know more than its addresses are
`platform.py` (starts it) and those under `soak/` that read its tables or enter its door.
"""
