"""The soak's script: the same seed is the same soak, and the shares are those that were promised."""

from benchmarks.soak.script import write_script


def test_the_seed_decides_everything():
    assert write_script(requests=300, kills=4, seed=7) == write_script(requests=300, kills=4, seed=7)
    assert write_script(requests=300, kills=4, seed=7) != write_script(requests=300, kills=4, seed=8)


def test_shares_and_kills_are_as_promised():
    script = write_script(requests=2000, kills=20, seed=2)
    assert sum(call.stream for call in script.calls) == 1000
    assert sum(call.abort != "never" for call in script.calls) == 200
    kinds = [kill.kind for kill in script.kills]
    assert (len(kinds) - kinds.count("flush"), kinds.count("flush")) == (20, 1)
    assert {"web", "postgres", "valkey"} < set(kinds)
    places = [kill.at for kill in script.kills]
    assert places == sorted(places)
    assert places[-1] < 2000 - 24
