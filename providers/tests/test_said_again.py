"""What another provider says again is heard by whoever meters it, and seen by nobody."""

from providers.tests.test_resuming import CALL, HALF, delta, request, said, target
from providers.wire.resuming import resuming


def chunks_of(begun, *pieces):
    stream = resuming(begun, request(), target(), "restart").parse_stream(request())
    return [chunk for piece in pieces for chunk in stream.feed(piece)] + stream.close()


def test_words_that_are_said_again_are_heard_without_being_shown():
    first, second, third = chunks_of(
        said(HALF),
        delta("second", role="assistant"),
        delta("second", content="one tw"),
        delta("second", content="o three"),
    )[:3]
    assert (first.raw, first.model) == (b"", "second")
    assert (second.raw, second.text) == (b"", "one tw")
    assert (third.raw, third.text) == (b"", "o ")


def test_thoughts_that_are_thought_again_are_heard_as_well():
    [thought] = chunks_of(said(HALF), delta("second", reasoning_content="Let me see."))
    assert (thought.raw, thought.text) == (b"", "Let me see.")


def test_all_that_was_heard_is_all_that_the_provider_said():
    pieces = [delta("second", content=piece) for piece in ("one two th", "ree", " four")]
    chunks = chunks_of(said(HALF), *pieces, delta("second", "stop"), b"data: [DONE]\n\n")
    assert "".join(chunk.text for chunk in chunks) == "one two three four"
    assert b"one" not in b"".join(chunk.raw for chunk in chunks)
    assert chunks[-1].done


def test_what_is_said_otherwise_hinders_nobody_else():
    for differing in (delta("second", "stop"), delta("second", tool_calls=[CALL]), delta("second", content="three")):
        begun = said(HALF)
        heard, failed = chunks_of(begun, delta("second", content="one "), differing)[-2:]
        assert (heard.text, failed.error.code) == ("one ", "upstream_diverged")
        assert (begun.text, begun.hindrance) == ("one two ", "")
