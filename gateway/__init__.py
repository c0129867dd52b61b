"""The way of one completion, from key to settled cost. No ORM and no HttpRequest in here.

edge/            HTTP in and out            pipeline.py   the whole way in one function
admitting.py     who may come in            remembering.py, cache/   answers that are kept
wanted.py, permitted.py   which names       choosing.py, routing/    targets in order, with reasons
failover/        target after target        targets/, load/          how each of them fares
attempt.py       one of them                settling.py, metering.py what it took
deciding.py      what goes on record        services.py   all parts, made once for a process
"""
