"""What was dispatched and what it cost: durable intents, and one settlement in force for each.

rows         the values written
statements   the SQL of a batch
connection   one PostgreSQL connection with deadlines of our own
intents      group commit, awaited before dispatch
settlements  written behind, never dropped
writer       the two together, with the heartbeat: what the gateway holds
reaper       settles what dead processes left
audit        proves the promise
partitions   the months ahead
"""
