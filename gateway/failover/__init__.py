"""From one target to the next, before the first byte and after it."""
