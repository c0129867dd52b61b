"""Answers as vendors send them each streamed and whole (`.json`), by the wire."""

from pathlib import Path


class Recordings:
    """Those of one wire; its streams end in `.` and `streams`."""

    def __init__(self, wire: str, streams: str = "sse") -> None:
        self._folder = Path(__file__).with_name("recorded") / wire
        self._streams = streams
        self.names = sorted(path.stem for path in self._folder.glob(f"*.{streams}"))

    def streamed(self, name: str) -> bytes:
        return (self._folder / f"{name}.{self._streams}").read_bytes()

    def whole(self, name: str) -> bytes:
        return (self._folder / f"{name}.json").read_bytes()


OPENAI = Recordings("openai")
ANTHROPIC = Recordings("anthropic")
GEMINI = Recordings("gemini")
OLLAMA = Recordings("ollama", "ndjson")
