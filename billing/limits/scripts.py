"""The Lua scripts of limits, each with the one way of counting in front."""

from pathlib import Path
from typing import Final

from common.redis import Script

HERE: Final = Path(__file__).parent
COUNTING: Final = (HERE / "gcra.lua").read_text(encoding="utf-8")


def counting(name: str) -> Script:
    return Script(COUNTING + (HERE / name).read_text(encoding="utf-8"))
