"""The commit that runs, where the checkout's own records are at hand."""

import re
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@cache
def commit(checkout: Path = CHECKOUT) -> str | None:
    """The full hash, read from the files of git; None outside a checkout."""
    folder = checkout / ".git"
    try:
        head = (folder / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head if COMMIT.fullmatch(head) else None
        return loose(folder, head[5:]) or packed(folder, head[5:])
    except OSError:
        return None


def loose(folder: Path, reference: str) -> str | None:
    file = folder / reference
    return file.read_text().strip() if file.is_file() else None


def packed(folder: Path, reference: str) -> str | None:
    lines = (folder / "packed-refs").read_text().splitlines()
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {reference}")), None)
