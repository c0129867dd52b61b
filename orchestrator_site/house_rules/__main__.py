"""`python -m orchestrator_site.house_rules [FOLDER]`: 1 when a rule is broken."""

import sys
from pathlib import Path

from orchestrator_site.house_rules import registry, sizes
from orchestrator_site.house_rules.source import find_sources

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    sources = list(find_sources(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT))
    broken = list(registry.violations(sources))
    count = f"{len(sources)} files, {sizes.summary(sources)}; {len(broken) or 'no'} rules broken"
    sys.stdout.write("\n".join([*map(str, broken), count, ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
