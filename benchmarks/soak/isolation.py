"""Isolation of tenants: many concurrent reads of every kind, with failing `SET`s and a single connection between them.

The reads run in a process of their own (`probe.py`), since they enter the platform's own door and replace what its
database driver executes.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.platform import Platform
from benchmarks.processes import REPOSITORY, NotReady
from benchmarks.report import Check, Report

Progress = Callable[[str], None]
TENANTS = 50
FAILING_SHARE = 0.02


def soak(progress: Progress, *, requests: int = 20_000, seed: int = 2, tenants: int = TENANTS) -> Report:
    progress("starting services")
    platform = Platform.start({}, with_web=False)
    try:
        parameters = {"tenants": tenants, "reads": requests, "seed": seed, "failing_share": FAILING_SHARE}
        progress(f"{requests} reads of {tenants} tenants")
        found = run_probe(platform, parameters)
    finally:
        platform.stop()
    return Report(
        name="soak-isolation",
        title="Foreign rows among concurrent reads with failing SETs and a pool of one",
        parameters={**parameters, "reads by kind": found["kinds"], "errors by kind": found["errors"]},
        checks=checks(found, requests=requests),
    )


def run_probe(platform: Platform, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the probe counted. Raises NotReady when it broke."""
    environ = {
        **platform.environ,
        "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.web",
        "CONNECTION_POOL_SIZE": "1",
        "LOG_LEVEL": "ERROR",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak.probe", json.dumps(parameters)],
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=3600,
    )
    if ran.returncode:
        raise NotReady(f"the probe ended with {ran.returncode}:\n{ran.stdout[-4000:]}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def checks(found: dict[str, Any], *, requests: int) -> list[Check]:
    """`found` counts `foreign`, `own`, `empty`, `failed` reads, `injected` failures and `control`s that were caught."""
    most = requests // 2
    return [
        Check("0 foreign rows", f"{found['foreign']} {found['examples']}", found["foreign"] == 0),
        Check("every read that succeeded showed its own tenant's rows", f"{found['empty']} empty", found["empty"] == 0),
        Check("SETs were made to fail", f"{found['injected']}", found["injected"] > 0),
        Check(f"more than {most} reads succeeded", f"{found['own']}", found["own"] > most),
        Check("the probe recognises a foreign row when it is shown one", f"{found['control']}", found["control"] > 0),
    ]
