"""What was dispatched and what it cost: durable intents, and one settlement in force for each.

rows          the values written
statements    the SQL of a batch
inserts       a batch of rows sent by it
connection    one PostgreSQL connection with deadlines of our own
spool         a queue that is written in batches until every row is durable
salvage       a refused row in a form that can be stored
heartbeat     the sign of life that keeps the reaper away
writer        two spools, one of intents and one of settlements: what the gateway holds
reaper        settles what dead processes left
verification  proves the promise
partitions    the months ahead
"""
