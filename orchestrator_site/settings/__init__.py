"""One base read from the environment; a thin overlay for each kind of process.

web          pooled connections (the default)
worker       no pool: Celery forks
migration    no pool, as the owner of the tables
development  web, served by `runserver`
test         web, with fast password hashing and mail kept in memory
"""
