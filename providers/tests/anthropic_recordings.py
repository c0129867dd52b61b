"""Answers of the Anthropic wire, each streamed (`.sse`) and whole (`.json`)."""

from pathlib import Path

FOLDER = Path(__file__).with_name("recorded") / "anthropic"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))


def streamed(name: str) -> bytes:
    return (FOLDER / f"{name}.sse").read_bytes()


def whole(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()
