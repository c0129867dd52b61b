"""Everything a benchmark run needs, brought up once and taken down at the end."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.endpoint import Endpoint, chat_body, messages_body
from benchmarks.nginx.server import MODEL, start_nginx
from benchmarks.platform import PROVIDER, Extras, Platform
from benchmarks.processes import Process, Used, free_port, start_upstream, used_by_tree

Progress = Callable[[str], None]
PROVIDERS = 100
ROUTE, STREAM_ROUTE = "bench-route", "bench-route-streams"
ROUTED = "through a route"
STREAM_MODEL = "mock-none-chunks-30-pace-1"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to put load on: where, and which process trees work for it."""

    name: str
    endpoint: Endpoint
    services: Callable[[], dict[str, int]]

    def used(self) -> dict[str, Used]:
        return {service: used_by_tree(pid) for service, pid in self.services().items()}


@dataclass(frozen=True, slots=True)
class Stage:
    """`answers` end in nginx, `streams` in the paced upstream: direct, through the bare proxy, through the platform.

    `translated` puts the question of `answers` in Anthropic's words to the same provider, `routed` to a route of two
    targets, `routed_streams` the question of `streams` likewise. They and `platform` are None where the platform is
    left out (`--without-platform`).
    """

    answers: tuple[Subject, ...]
    streams: tuple[Subject, ...]
    platform: Platform | None
    translated: Subject | None = None
    routed: Subject | None = None
    routed_streams: Subject | None = None


@contextmanager
def stage(progress: Progress, *, with_platform: bool = True) -> Iterator[Stage]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        directory.chmod(0o755)
        progress("starting nginx, the paced upstream and two bare proxies")
        (directory / "nginx").mkdir()
        nginx_url, nginx = start_nginx(directory / "nginx")
        stack.callback(nginx.stop)
        upstream_url, upstream = start_upstream(directory / "upstream.log")
        stack.callback(upstream.stop)
        answers = [
            Subject("direct", Endpoint(nginx_url, chat_body(MODEL)), lambda: {"nginx": nginx.pid}),
            bare(stack, nginx_url, chat_body(MODEL), directory / "bare-answers.log"),
        ]
        stream_body = chat_body(STREAM_MODEL, stream=True)
        streams = [
            Subject("direct", Endpoint(upstream_url, stream_body), lambda: {"upstream": upstream.pid}),
            bare(stack, upstream_url, stream_body, directory / "bare-streams.log"),
        ]
        platform = translated = routed = routed_streams = None
        if with_platform:
            platform = start_platform(stack, progress, nginx_url, upstream_url)
            answers.append(through(platform, f"{PROVIDER}/{MODEL}"))
            streams.append(through(platform, f"{PROVIDER}-streams/{STREAM_MODEL}", stream=True))
            translated = in_anthropics_words(platform, f"{PROVIDER}/{MODEL}")
            routed = through(platform, ROUTE, name=ROUTED)
            routed_streams = through(platform, STREAM_ROUTE, stream=True, name=ROUTED)
        yield Stage(tuple(answers), tuple(streams), platform, translated, routed, routed_streams)


def start_platform(stack: ExitStack, progress: Progress, nginx_url: str, upstream_url: str) -> Platform:
    progress(f"starting the platform with {PROVIDERS} providers")
    started = time.monotonic()
    streaming = (f"{PROVIDER}-streams", f"{PROVIDER}-streams-again")
    fillers = {f"filler-{number}": (nginx_url, (MODEL,)) for number in range(PROVIDERS - 1 - len(streaming))}
    providers = {
        PROVIDER: (nginx_url, (MODEL,)),
        **dict.fromkeys(streaming, (upstream_url, (STREAM_MODEL,))),
        **fillers,
    }
    routes = [
        latency_route(ROUTE, [f"{name}/{MODEL}" for name in (PROVIDER, "filler-0")]),
        latency_route(STREAM_ROUTE, [f"{name}/{STREAM_MODEL}" for name in streaming]),
    ]
    platform = Platform.start(providers, extras=Extras(routes=routes))
    stack.callback(platform.stop)
    progress(f"the platform is up after {time.monotonic() - started:.1f} s")
    return platform


def latency_route(name: str, targets: list[str]) -> dict[str, object]:
    return {"name": name, "strategy": "latency", "targets": targets}


def bare(stack: ExitStack, upstream_url: str, body: bytes, log: Path) -> Subject:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare_proxy", "--port", str(port), "--upstream", upstream_url]
    process = Process.start(command, log=log)
    stack.callback(process.stop)
    process.wait_listening(port)
    return Subject("bare proxy", Endpoint(f"http://127.0.0.1:{port}", body), lambda: {"web": process.pid})


def through(platform: Platform, model: str, *, stream: bool = False, name: str = "platform") -> Subject:
    body = chat_body(model, stream=True) if stream else chat_body(model)
    headers = {"authorization": f"Bearer {platform.api_key}"}
    return Subject(name, Endpoint(platform.base_url, body, headers), platform.services)


def in_anthropics_words(platform: Platform, model: str) -> Subject:
    headers = {"x-api-key": platform.api_key}
    endpoint = Endpoint(platform.base_url, messages_body(model), headers, "/v1/messages")
    return Subject("translated", endpoint, platform.services)
