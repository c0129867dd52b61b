"""`python -m benchmarks.soak NAME [--requests N --kills K --seed S]`."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.processes import clean_up_when_terminated
from benchmarks.report import Report, as_markdown, write
from benchmarks.soak import costs, faults, flapping, idempotency, isolation, ledger, parsers

SOAKS: dict[str, Callable[..., Report]] = {
    "ledger": ledger.soak,
    "isolation": isolation.soak,
    "parsers": parsers.soak,
    "faults": faults.soak,
    "flapping": flapping.soak,
    "idempotency": idempotency.soak,
    "costs": costs.soak,
}


def main() -> int:
    """Runs the named soaks, or all; the exit status says whether every statement held."""
    arguments = read_arguments()
    clean_up_when_terminated()
    held = True
    for name in arguments.names or SOAKS:
        report = run(name, arguments)
        print(as_markdown(report, {}, None))
        print(f"Written to {write(report)}")
        held = held and report.met
    return 0 if held else 1


def run(name: str, arguments: argparse.Namespace) -> Report:
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{name} {time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    given: dict[str, Any] = {"seed": arguments.seed}
    given["faults" if name == "faults" else "requests"] = arguments.requests
    if name == "ledger":
        given["kills"] = arguments.kills
    return SOAKS[name](progress, **{key: value for key, value in given.items() if value is not None})


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Long proofs with injected faults.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *SOAKS], help=", ".join(SOAKS))
    parser.add_argument(
        "--requests", type=int, help="size (for faults: how many of them); each soak has its own default"
    )
    parser.add_argument("--kills", type=int, help="SIGKILLs of the ledger soak")
    parser.add_argument("--seed", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
