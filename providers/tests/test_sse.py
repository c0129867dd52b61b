"""Events however their lines end, and wherever they were cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.sse import EventStream

PIECES = st.sampled_from(
    [b"data: {}", b"data:x", b"event: e", b": hm", b"", b"data", b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n"]
)


class Fields(EventStream[tuple[bytes, bytes, bytes]]):
    """Each event as it was, with the space that JSON passes over taken off its data."""

    def _read(self, raw, kind, payload):
        return raw, kind, payload.removeprefix(b" ")

    def _garbled(self, raw, error):
        return raw, b"garbled", b""


def read(*pieces, limit=1000):
    stream = Fields(limit)
    return [event for piece in pieces for event in stream.feed(piece)] + stream.close()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_three_ways(ending):
    events = [b"data: {}", b"event: e" + ending + b"data: a" + ending + b"data: b", b"data:last"]
    received = b"".join(event + ending * 2 for event in events)
    assert [found[1:] for found in read(received)] == [(b"", b"{}"), (b"e", b"a\nb"), (b"", b"last")]


@given(st.lists(PIECES, max_size=12).map(b"".join), st.lists(st.integers(0, 100), max_size=4))
def test_where_bytes_were_cut_changes_nothing(received, cuts):
    places = sorted({0, len(received), *(cut for cut in cuts if cut < len(received))})
    in_pieces = read(*(received[start:end] for start, end in pairwise(places)))
    byte_by_byte = read(*(bytes([byte]) for byte in received))
    assert in_pieces == read(received) == byte_by_byte


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_an_event_over_the_limit_ends_the_stream(ending):
    received = b"data: " + b"x" * 60 + ending * 2 + b"data: y" + ending * 2
    assert [kind for _, kind, _ in read(received, limit=50)] == [b"garbled"]
