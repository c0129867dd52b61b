import stat

import pytest

from orchestrator_site.whole_files import write_whole


def test_a_file_is_replaced_with_its_mode_and_nothing_beside_it(tmp_path):
    path = tmp_path / "notes"
    path.write_text("old and readable by all")
    write_whole(path, "naïve\n", mode=0o600)
    assert path.read_bytes() == "naïve\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(path, "", mode=0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_text_alone(tmp_path):
    path = tmp_path / "notes"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half of it \ud800", mode=0o600)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
