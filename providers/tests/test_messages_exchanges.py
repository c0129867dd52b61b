"""Every recorded answer, of every wire, is the same message whole and streamed."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from providers.tests.messages_speech import REQUEST, SPEECH, prompted, reread
from providers.wire.registry import WIRES

RECORDED = Path(__file__).with_name("recorded")
STREAMS = sorted(path for path in RECORDED.glob("*/*") if path.suffix in (".sse", ".ndjson"))
LONGEST_STEP = 1 << 20


def told(recording: Path, step: int) -> Any:
    """The recorded stream, cut every `step` bytes, as a caller reads it."""
    parser = WIRES[recording.parent.name].read_stream(prompted())
    renderer = SPEECH.renderer(REQUEST)
    received = recording.read_bytes()
    edges = [*range(0, len(received), step), len(received)]
    written = [renderer.render(parser.feed(received[start:end])) for start, end in pairwise(edges)]
    return reread(b"".join(written) + renderer.render(parser.close()) + renderer.end())


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    """Where a provider gave none they are made up."""
    content = [{name: value for name, value in block.items() if name != "id"} for block in message["content"]]
    return {**message, "id": "", "content": content}


@pytest.mark.parametrize("recording", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_stream_is_the_message_that_the_whole_answer_is(recording):
    answer = WIRES[recording.parent.name].read_answer(recording.with_suffix(".json").read_bytes())
    message = json.loads(SPEECH.render_answer(answer, REQUEST))
    for step in (7, LONGEST_STEP):
        assert without_ids(told(recording, step)) == without_ids(message)
