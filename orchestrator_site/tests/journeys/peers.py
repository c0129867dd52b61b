"""Two independent mocks of OpenAI's wire, written by other people: what they accept and say is not ours to shape.

aimock, from npm, is locked in `orchestrator_site/tests/peers`; llmock, from PyPI, in requirements-dev.txt. Both call
their program `llmock`, so each is run by its own path.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.processes import Process, free_port

NODE_MODULES = Path(__file__).resolve().parents[1] / "peers" / "node_modules"
AIMOCK = NODE_MODULES / "@copilotkit" / "aimock" / "dist" / "cli.js"
PEER_MODELS = ["gpt-4o", "gpt-4o-mini"]
# aimock says what it is told to; llmock makes up an answer that fits the request.
USAGE = {
    "prompt_tokens": 21,
    "completion_tokens": 13,
    "total_tokens": 34,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
FIXTURES = {
    "fixtures": [
        {
            "match": {"endpoint": "transcription"},
            "response": {
                "transcription": {
                    "text": "What was said.",
                    "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19},
                }
            },
        },
        {"match": {"endpoint": "embedding"}, "response": {"embedding": [0.25, -0.5] * 8}},
        {"match": {"endpoint": "speech"}, "response": {"audio": "SUQzBAAAAAAA", "format": "mp3"}},
        {"match": {"endpoint": "image"}, "response": {"image": {"b64Json": "iVBORw0KGgo="}}},
        {
            "match": {"userMessage": "weather", "hasToolResult": False},
            "response": {"toolCalls": [{"name": "get_weather", "arguments": '{"city":"Oslo"}'}], "usage": USAGE},
        },
        {"match": {"userMessage": "person"}, "response": {"content": '{"name":"Ada","age":36}', "usage": USAGE}},
        {
            "match": {},
            "response": {"content": "An answer of aimock, long enough to come in more than one piece.", "usage": USAGE},
        },
    ]
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A running mock; `base_url` ends in /v1, `journal` is where it tells what it was asked."""

    name: str
    base_url: str
    journal: str

    def bodies(self) -> list[dict[str, Any]]:
        """Of all completions it was asked for, oldest first."""
        told = httpx2.get(self.journal, timeout=5).json()
        entries = told if isinstance(told, list) else told.get("entries", told.get("requests", []))
        return [entry["body"] for entry in entries if entry.get("body")]


def start_peers(folder: Path, processes: list[Process]) -> dict[str, Peer]:
    """Both; aimock only where Node and its package are installed (`make test` installs it)."""
    peers = {"llmock": start_llmock(folder, processes)}
    if node() is not None:
        peers["aimock"] = start_aimock(folder, processes)
    return peers


def node() -> str | None:
    return shutil.which("node") if AIMOCK.exists() else None


def start_llmock(folder: Path, processes: list[Process]) -> Peer:
    port = free_port()
    program = Path(sys.executable).with_name("llmock")
    command = [str(program), "serve", "--port", str(port), "--log-level", "warning"]
    start(command, port, folder / "llmock.log", processes)
    return Peer("llmock", f"http://127.0.0.1:{port}/v1", f"http://127.0.0.1:{port}/_llmock/requests")


def start_aimock(folder: Path, processes: list[Process]) -> Peer:
    port, fixtures = free_port(), folder / "aimock.json"
    fixtures.write_text(json.dumps(FIXTURES))
    command = [node() or "node", str(AIMOCK), "-p", str(port), "-f", str(fixtures), "--log-level", "warn"]
    start(command, port, folder / "aimock.log", processes)
    return Peer("aimock", f"http://127.0.0.1:{port}/v1", f"http://127.0.0.1:{port}/__aimock/journal")


def start(command: list[str], port: int, log: Path, processes: list[Process]) -> None:
    process = Process.start(command, log=log, environ=dict(os.environ))
    processes.append(process)
    process.wait_listening(port)
