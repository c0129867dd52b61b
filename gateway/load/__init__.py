"""Places at targets that take only so many calls at once, and whom the next free one goes to.

places.py   taking, waiting for and giving back a place
slots.py    the places of one key, and how long they are held
queue.py    who is next: interactive before batch, tenants in turn, each tenant's requests in their order
"""
