"""A child that does not outlive its parent, even one killed with SIGKILL (Linux: prctl(2), PR_SET_PDEATHSIG)."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def tie_to_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: the child gets SIGTERM when this process ends. None where the system has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def tie_myself() -> None:
    """Makes this very process end, as if by SIGTERM, with the one that started it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
