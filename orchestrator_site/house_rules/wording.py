"""The project says nothing about the machine it was written on or the index its packages came from."""

import re
from collections.abc import Iterator

from orchestrator_site.house_rules.source import Source, Violation

LOCAL_PATH = re.compile(r"(?<![\w.$}~-])/(?:work|root|home/(?!app\b)\w+|Users/\w+)/[\w.]")
INDEX_OPTION = re.compile(r"--(?:extra-)?index-url|--find-links|--registry|^\s*registry\s*=", re.MULTILINE)
INDEX_HOST = re.compile(r"https?://[^/\s\"']*(?:registry|pypi|pythonhosted|artifactory|nexus|mirror)[^/\s\"']*")

FORBIDDEN = (
    (LOCAL_PATH, "a path of one person's machine"),
    (INDEX_OPTION, "a package index is the installer's business"),
    (INDEX_HOST, "the host of a package index"),
)
OWN = ("orchestrator_site/house_rules", "orchestrator_site/tests/test_house_rules.py")


def no_local_traces(source: Source) -> Iterator[Violation]:
    if source.within(*OWN):
        return
    for pattern, message in FORBIDDEN:
        for match in pattern.finditer(source.text):
            line = source.text.count("\n", 0, match.start()) + 1
            yield source.breaks(line, f"{message}: {match.group().strip()}")
