"""From one target to the next, before the first byte and after it.

first.py     the first to answer           turns.py     whose turn it is, with health, places and limits
hedging.py   two at a time                 order.py     the plan, and what failures do to it
rescue.py    an answer that breaks off     attempts.py  each is begun, and comes to one end
shadow.py    asked as well, for comparison budgets.py, waiting.py, pace.py   how often, how long, how slowly
"""
