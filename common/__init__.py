"""The floor of the house: errors, money, ids, clock, redis, crypto. Nothing else lives here."""
