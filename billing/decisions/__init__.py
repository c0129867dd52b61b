"""Why a request was answered as it was: one record for each, beside the ledger and not of it.

records     the values: who was considered, who was tried, how it ended
salvage     a record within bounds and in a form that can be stored
statements  the SQL of a batch
journal     the queue on its way to PostgreSQL, which drops its oldest rather than grow
reading     a request's record with the money of its attempts, and pages of records
query       the parameters of a page
document    both as callers see them
schema      how the OpenAPI document describes that
api         GET /v1/requests, GET /v1/requests/{id}

A record is no money: it may be lost, when a process dies or the database is away for long. The ledger never is.
"""
