"""What the Makefile installs runs nothing of its own."""

import re

from django.conf import settings


def test_no_package_of_npms_runs_scripts_when_it_is_installed():
    installs = re.findall(r"npm (?:ci|install)[^;&|]*", (settings.BASE_DIR / "Makefile").read_text())
    assert installs
    assert all("--ignore-scripts" in each for each in installs)
