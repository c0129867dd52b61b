"""Several fault-injecting upstreams, each the one provider of its name, and a platform with routes over them."""

import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.platform import Extras, Platform
from benchmarks.processes import start_upstream
from benchmarks.upstream.journal import Ended, Received, read_journal

Progress = Callable[[str], None]
MODEL = "mock"


@dataclass(frozen=True, slots=True)
class Farm:
    """`urls` and `journals` of the upstreams by the providers' names."""

    platform: Platform
    urls: Mapping[str, str]
    journals: Mapping[str, Path]

    def state(self, name: str, **fields: Any) -> None:
        """What `POST /mock/state` takes."""
        body = json.dumps(fields).encode()
        with urllib.request.urlopen(f"{self.urls[name]}/mock/state", data=body, timeout=10):
            pass

    def journal(self, name: str) -> tuple[list[Received], dict[int, Ended]]:
        return read_journal(self.journals[name])

    def whole_journal(self) -> tuple[list[Received], dict[int, Ended]]:
        """Of all upstreams as one, their numbers told apart."""
        received: list[Received] = []
        ended: dict[int, Ended] = {}
        for place, name in enumerate(self.journals):
            lines, ends = self.journal(name)
            step = len(self.journals)
            received += [msgspec.structs.replace(line, number=line.number * step + place) for line in lines]
            ended |= {number * step + place: end for number, end in ends.items()}
        return received, ended

    def asked(self, line: Received) -> str:
        """Whose line of the whole journal it is."""
        return list(self.journals)[line.number % len(self.journals)]


@contextmanager
def farm(progress: Progress, upstreams: Mapping[str, Sequence[str]], extras: Extras, *, workers: int) -> Iterator[Farm]:
    """`upstreams`: the options of each by the name of its provider."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farm-")))
        urls: dict[str, str] = {}
        journals = {name: directory / f"{name}.jsonl" for name in upstreams}
        for name, options in upstreams.items():
            urls[name], process = start_upstream(directory / f"{name}.log", journal=journals[name], options=options)
            stack.callback(process.stop)
        progress(f"starting the platform with {len(upstreams)} providers")
        providers = {name: (url, [MODEL]) for name, url in urls.items()}
        platform = Platform.start(providers, workers=workers, extras=extras)
        stack.callback(platform.stop)
        yield Farm(platform, urls, journals)


def route(name: str, providers: Sequence[str], strategy: str, **policy: Any) -> dict[str, Any]:
    """As the catalogue file has it."""
    targets = [f"{provider}/{MODEL}" for provider in providers]
    return {"name": name, "strategy": strategy, "targets": targets, "policy": policy}
