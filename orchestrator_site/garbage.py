"""The garbage collector of a web process: out of the way of requests.

What is loaded at the start (Django, models, catalogues; some hundred thousand objects) lives as long as the process.
Frozen, it is never walked again. A request makes few cycles, so that younger objects need looking at less often than
by default. Measured at 32 clients: 0.63 ms CPU a completion instead of 0.71.
"""

import gc
from typing import Final

THRESHOLDS: Final = (20_000, 20, 50)


def freeze() -> None:
    """Called once, when a process has loaded what it will keep."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
