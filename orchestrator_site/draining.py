"""Whether this process is about to stop: set at the first signal, told to load balancers by `/ready`."""

import threading

_draining = threading.Event()


def start_draining() -> None:
    """From here on `/ready` answers 503; nothing turns it back."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()
