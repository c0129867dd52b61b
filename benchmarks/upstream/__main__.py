"""`python -m benchmarks.upstream --port 9100 --log journal.jsonl`."""

import argparse
from pathlib import Path

import uvloop

from benchmarks.upstream import plans, switches
from benchmarks.upstream.plans import FAULTS, Fields, Plan, PlanRefused, from_words
from benchmarks.upstream.server import serve


def everything() -> str:
    """What there is to ask for, in the words of the modules that read it."""
    faults = "\n".join(f"  {name:<17} {meaning}" for name, meaning in FAULTS.items())
    fields = ", ".join(f"{name}={value}" for name, value in vars_of(Plan()).items())
    return f"{plans.__doc__}\nFaults:\n{faults}\n\nFields of a plan: {fields}\n\n{switches.__doc__}"


def vars_of(plan: Plan) -> Fields:
    return {name: getattr(plan, name) for name in plan.__struct_fields__}


def plan_argument(words: str) -> Fields:
    try:
        return from_words(words)
    except PlanRefused as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive(text: str) -> float:
    if not (number := float(text)) > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.upstream",
        description="A fault-injecting upstream: /v1/chat/completions as OpenAI has it, /v1/messages as Anthropic.",
        epilog=everything(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free port and prints it")
    parser.add_argument("--log", type=Path, help="journal of requests, JSON lines")
    parser.add_argument("--plan", type=plan_argument, default={}, help="the server's own plan, fault=slow,seconds=0.2")
    parser.add_argument("--speed", type=positive, default=1.0, help="2 is twice as fast")
    parser.add_argument("--most-at-once", type=int, default=0, help="answers under way; 0 for any number")
    asked = parser.parse_args()
    uvloop.run(serve(host=asked.host, port=asked.port, log=asked.log, switches=switches_of(asked)))


def switches_of(asked: argparse.Namespace) -> switches.Switches:
    return switches.Switches(plan=asked.plan, speed=asked.speed, most_at_once=asked.most_at_once)


if __name__ == "__main__":
    main()
