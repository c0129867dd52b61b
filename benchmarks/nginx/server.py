"""Starts nginx with a prefix of its own, as root or not."""

import shutil
from pathlib import Path

from benchmarks.processes import Process, free_port

TEMPLATE = Path(__file__).with_name("nginx.conf")
MODEL = "bench-model"
INPUT_TOKENS, OUTPUT_TOKENS = 20, 12
ANSWER = (
    '{"id":"chatcmpl-static","object":"chat.completion","created":1767225600,"model":"bench-model","choices":['
    '{"index":0,"message":{"role":"assistant","content":"Twelve tokens of text, the same for all.","refusal":null},'
    '"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":12,"total_tokens":32,'
    '"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},'
    '"system_fingerprint":"fp_static"}'
)
MODELS = '{"object":"list","data":[{"id":"bench-model","object":"model","created":1767225600,"owned_by":"mock"}]}'


class NginxMissing(RuntimeError):
    """No nginx on the PATH; `apt install nginx-light` or the like."""


def start_nginx(directory: Path) -> tuple[str, Process]:
    """Base URL (without /v1) and the process; `directory` must exist and is nginx's alone."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise NginxMissing("nginx is needed for the benchmark's mock upstream")
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(fill(TEMPLATE.read_text(), prefix=str(directory), port=str(port), answer=ANSWER, models=MODELS))
    command = [binary, "-p", str(directory), "-e", str(directory / "error.log"), "-c", str(config)]
    process = Process.start(command, log=directory / "output.log")
    process.wait_listening(port)
    return f"http://127.0.0.1:{port}", process


def fill(template: str, **words: str) -> str:
    for name, word in words.items():
        template = template.replace(f"<{name}>", word)
    return template
