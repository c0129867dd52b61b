"""`python -m orchestrator_site.demo --port 8100`: the demo provider on loopback, its key in DEMO_PROVIDER_KEY."""

import argparse
import os
import sys

import uvicorn

from orchestrator_site.demo.provider import DemoProvider

# About the speed at which a person reads.
PACE_SECONDS = "0.035"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator_site.demo", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    key = os.environ.get("DEMO_PROVIDER_KEY", "")
    if not key:
        print("DEMO_PROVIDER_KEY is not set.", file=sys.stderr)
        return 2
    provider = DemoProvider(key=key, pace=float(os.environ.get("DEMO_PACE_SECONDS") or PACE_SECONDS))
    uvicorn.run(
        provider,
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
