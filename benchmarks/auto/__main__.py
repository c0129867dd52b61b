"""`python -m benchmarks.auto report` measures what there is; `train` makes the classifier's weights anew."""

import argparse
import sys

from benchmarks.auto import train
from benchmarks.auto.report import report
from benchmarks.report import as_markdown, write


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.auto", description=__doc__)
    parser.add_argument("what", choices=("report", "train"))
    if parser.parse_args().what == "train":
        train.main()
        return 0
    return write_report()


def write_report() -> int:
    """The exit status says whether every bar was met."""
    found = report()
    print(as_markdown(found, {}, None))
    print(f"Written to {write(found)}")
    return 0 if found.met else 1


if __name__ == "__main__":
    sys.exit(main())
