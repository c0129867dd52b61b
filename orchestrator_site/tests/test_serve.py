"""The web process, run as a process: draining, workers, a taken port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx2
import pytest

from orchestrator_site.embedded.notes import free_port
from orchestrator_site.embedded.processes import wait_until

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "serve-test-0123456789-abcdefghijklmnop",
    "API_KEY_PEPPER": "serve-test-0123456789-abcdefghijklmnop",
    "ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "ORCHESTRATOR_ENV": "local",
    "WEB_CONCURRENCY": "1",
}


@pytest.fixture
def serve():
    """Starts the web process with the small application; whatever was started is ended."""
    started = []

    def start(port, app="orchestrator_site.tests.small_application:application", **environment):
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "orchestrator_site.serve",
                "--app",
                app,
            ],
            env={**os.environ, **ENVIRONMENT, "PORT": str(port), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def get(port, path="/", **headers):
    """Status and body over a connection of its own; None where nobody listens."""
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=5)
    except httpx2.TransportError:
        return None
    return answer.status_code, answer.text


def is_ready(port):
    return get(port, "/ready") == (200, "")


def test_readiness_goes_before_the_listener_does(serve):
    port = free_port()
    process = serve(port, DRAIN_SECONDS="1.5")
    assert wait_until(lambda: is_ready(port), 20)
    process.terminate()
    assert wait_until(lambda: get(port, "/ready") == (503, ""), 1)
    assert get(port)[0] == 200
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "closed cleanly" in output
    assert get(port) is None


def test_an_answer_under_way_is_finished(serve):
    port = free_port()
    process = serve(port)
    assert wait_until(lambda: is_ready(port), 20)
    heard = []
    with httpx2.stream("GET", f"http://127.0.0.1:{port}/slow") as answer:
        words = answer.iter_text()
        heard.append(next(words))
        process.terminate()
        heard += words
    assert "".join(heard) == "word " * 10 + "end"
    assert process.wait(20) == 0


def test_an_answer_that_takes_too_long_is_cut(serve):
    port = free_port()
    process = serve(port, GRACEFUL_SHUTDOWN_SECONDS="0.4")
    assert wait_until(lambda: is_ready(port), 20)

    def listen():
        try:
            httpx2.get(f"http://127.0.0.1:{port}/slow")
        except httpx2.TransportError as error:
            cut.append(error)

    cut: list[Exception] = []
    caller = threading.Thread(target=listen)
    caller.start()
    time.sleep(0.2)
    process.terminate()
    caller.join(20)
    assert cut
    assert process.wait(20) == 0


def test_a_second_interrupt_hurries(serve):
    port = free_port()
    process = serve(port, DRAIN_SECONDS="60")
    assert wait_until(lambda: is_ready(port), 20)
    process.send_signal(signal.SIGINT)
    assert wait_until(lambda: get(port, "/ready") == (503, ""), 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_taken_port_is_one_clear_line_and_code_2(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve(port)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert output == f"127.0.0.1 port {port} cannot be used: Address already in use. Choose another with PORT.\n"


def test_a_missing_setting_is_named_with_code_2(serve):
    process = serve(free_port(), SECRET_KEY="")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "SECRET_KEY is not set." in output
    assert "Traceback" not in output


def test_workers_share_the_port_and_a_killed_one_is_replaced(serve):
    port = free_port()
    process = serve(port, WEB_CONCURRENCY="2")
    assert wait_until(lambda: is_ready(port), 20)

    before: set[int] = set()
    after: set[int] = set()

    def collect(pids):
        pids.update(int(body.split()[0]) for _, body in filter(None, [get(port)]))
        return pids

    assert wait_until(lambda: len(collect(before)) == 2, 20)
    assert process.pid not in before
    os.kill(min(before), signal.SIGKILL)
    assert wait_until(lambda: len(collect(after) - before) == 1, 20)
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert output.count("closed cleanly") == 2
    assert get(port) is None


def test_workers_end_with_a_killed_parent(serve):
    port = free_port()
    process = serve(port, WEB_CONCURRENCY="2")
    assert wait_until(lambda: is_ready(port), 20)
    process.kill()
    assert wait_until(lambda: get(port) is None, 10)


@pytest.mark.parametrize(
    ("trusted", "seen"), [("", "127.0.0.1 http"), ("127.0.0.1", "203.0.113.9 https"), ("192.0.2.1", "127.0.0.1 http")]
)
def test_only_a_trusted_proxy_may_say_who_calls(serve, trusted, seen):
    port = free_port()
    serve(port, TRUSTED_PROXIES=trusted)
    assert wait_until(lambda: is_ready(port), 20)
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert get(port, **headers)[1].split(" ", 1)[1] == seen


@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.1", "https"), ("192.0.2.1", "http")])
def test_django_believes_the_same_proxies(serve, trusted, scheme):
    """The landing page names the API under the scheme that the request came by."""
    port = free_port()
    serve(port, app="orchestrator_site.tests.django_alone:application", TRUSTED_PROXIES=trusted)
    assert wait_until(lambda: get(port, "/live") == (200, ""), 20)
    _, page = get(port, "/", **{"X-Forwarded-Proto": "https"})
    assert f"{scheme}://127.0.0.1:{port}/v1" in page
