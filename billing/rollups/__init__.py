"""The ledger summed by 15 minutes of UTC, so that a report reads no ledger.

A request belongs to the bucket in which it was made, whatever its attempts took and whenever they were settled.
Every bucket before the *frontier* is rolled up. What settles later than `LATE` after its request was made is found by
an index, and its bucket is rolled up again; until then whoever reads takes that bucket from the ledger (ADR-0009).
"""
