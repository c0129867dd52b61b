"""nginx as the cheapest upstream there is: a static answer for every completion."""
