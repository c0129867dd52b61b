"""`python -m benchmarks.upstream --port 9100 --log journal.jsonl`."""

import argparse
from pathlib import Path

import uvloop

from benchmarks.upstream.plans import FAULTS
from benchmarks.upstream.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.upstream",
        description="A fault-injecting OpenAI-wire upstream.",
        epilog=f"Faults: {', '.join(FAULTS)}. How to ask for them: benchmarks/upstream/plans.py.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free port and prints it")
    parser.add_argument("--log", type=Path, help="journal of requests, JSON lines")
    arguments = parser.parse_args()
    uvloop.run(serve(host=arguments.host, port=arguments.port, log=arguments.log))


if __name__ == "__main__":
    main()
