"""How pytest-xdist spreads a run over processes: `pytest -n 3`.

A file stays in one process, since what it starts for its tests is started once. The journeys share one running
product, so they all go to one; the soaks share nothing and take longest, so each goes its own way.
"""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped]

SHARED_FOLDERS = ("orchestrator_site/tests/journeys",)
SHARED_NOTHING = ("benchmarks/tests/test_soaks.py",)


class BySharedThings(LoadScopeScheduling):  # type: ignore[misc]
    """Work is handed out in the order of `testpaths`: what takes long stands first there."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        if path in SHARED_NOTHING:
            return nodeid
        folder = str(PurePosixPath(path).parent)
        return folder if folder in SHARED_FOLDERS else path
