"""A caller that hangs up: the provider's call ends at once, and what was used is settled."""

import sys
import time

import openai
import pytest

from benchmarks.upstream.journal import read_journal
from orchestrator_site.tests.journeys.test_sdk import HELLO

# The bar is 250 ms; figures about time are asserted in the benchmarks, and shown here.
GENEROUS_SECONDS = 2.0
SLOW = {"metadata": {"mock": {"fault": "none", "chunks": 200, "pace": 50}}}
SILENT = {"metadata": {"mock": {"fault": "delay", "seconds": 20}}}
SILENT_AFTER = {"metadata": {"mock": {"fault": "stall", "after": 3, "seconds": 20}}}


def ended(product, request_id):
    """How the upstream saw this request end."""
    deadline = time.monotonic() + GENEROUS_SECONDS + 3
    while time.monotonic() < deadline:
        received, ends = read_journal(product.journal)
        (number,) = [each.number for each in received if each.request_id == request_id]
        if number in ends:
            return ends[number]
        time.sleep(0.02)
    raise AssertionError("the upstream was never told")


def show(closed_at, end):
    sys.stdout.write(f"The upstream was told after {(end.at - closed_at) * 1000:.0f} ms.\n")


@pytest.mark.parametrize("extra", [SLOW, SILENT_AFTER], ids=["while it comes", "while it is silent"])
def test_a_stream_closed_early(product, client, ledger, extra):
    stream = client.chat.completions.create(model="patient/mock", messages=HELLO, stream=True, extra_body=extra)
    request_id = stream.response.headers["x-request-id"]
    got = [next(stream).choices[0].delta.content for _ in range(3)]
    assert got == ["word0 ", "word1 ", "word2 "]
    closed_at = time.time()
    stream.close()
    end = ended(product, request_id)
    show(closed_at, end)
    assert end.outcome == "client_gone"
    assert end.at - closed_at < GENEROUS_SECONDS
    row = ledger.only(request_id)
    assert row["outcome"] == "aborted"
    assert row["usage_source"] in ("counted", "estimated")
    # What came until then is paid for, and not the two hundred chunks that would have come.
    assert 3 <= row["output_tokens"] < 100
    assert row["cost_nano"] == row["charge_nano"] > 0


def test_a_caller_who_hangs_up_before_the_answer(product, client, ledger):
    """The request id is in the upstream's journal alone: the caller never saw a header."""
    before = {each.request_id for each in read_journal(product.journal)[0]}
    impatient = client.with_options(timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(model="patient/mock", messages=HELLO, extra_body=SILENT)
    closed_at = time.time()
    (request_id,) = {each.request_id for each in read_journal(product.journal)[0]} - before
    end = ended(product, request_id)
    show(closed_at, end)
    assert end.outcome == "client_gone"
    assert end.at - closed_at < GENEROUS_SECONDS
    row = ledger.only(request_id)
    assert row["outcome"] == "aborted"
    assert row["output_tokens"] == 0


def test_the_async_client_may_be_cancelled(product, client, ledger):
    """Leaving the context of a stream closes it."""
    with client.chat.completions.create(model="patient/mock", messages=HELLO, stream=True, extra_body=SLOW) as stream:
        next(stream)
        request_id = stream.response.headers["x-request-id"]
    assert ended(product, request_id).outcome == "client_gone"
    assert ledger.only(request_id)["outcome"] == "aborted"
