"""Health checks for containers, with the standard library alone; exit code 0 is healthy.

answers PATH           the web process on this host answers PATH with 200
fresh FILE SECONDS     FILE, whatever its suffix, was written within SECONDS
"""

import http.client
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

TIMEOUT_SECONDS = 3.0


def answers(path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def fresh(file: str, seconds: str) -> bool:
    written = [each.stat().st_mtime for each in Path(file).parent.glob(Path(file).name + "*")]
    return bool(written) and time.time() - max(written) < float(seconds)


CHECKS: dict[str, Callable[..., bool]] = {"answers": answers, "fresh": fresh}

if __name__ == "__main__":
    check, *arguments = sys.argv[1:]
    sys.exit(0 if CHECKS[check](*arguments) else 1)
