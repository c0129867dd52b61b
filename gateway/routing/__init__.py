"""From the targets of a route to an order in which they are tried, each with its reason. Pure.

plan.py      the order and what is left out    strategies.py  by priority, weight, turn, load, latency, cost, question
conditions.py  schedules                       sticky.py      one session, one target
facts.py     what is known of request and targets          auto/   how hard a question looks
"""
