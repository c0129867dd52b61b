"""Errors as the official SDK sees them: the right exception class with a code, and retries that heed Retry-After."""

import openai
import pytest

from benchmarks.upstream.journal import read_journal
from orchestrator_site.tests.journeys.catalogue import RECOVERING
from orchestrator_site.tests.journeys.test_sdk import HELLO


def plan(fault, **fields):
    """For the fault-injecting upstream; rides along in a field that passes through."""
    return {"metadata": {"mock": {"fault": fault, **fields}}}


def ask(client, model="mock/mock", extra=None, **options):
    return client.chat.completions.create(model=model, messages=HELLO, extra_body=extra, **options)


def test_a_wrong_key(product):
    good = product.key_of("acme")
    mistyped = good[:-1] + ("y" if good.endswith("x") else "x")
    for key in ("sk-of-somebody-else", mistyped, "orc_0000000000000000_secret"):
        with (
            openai.OpenAI(base_url=product.base_url, api_key=key, max_retries=0) as client,
            pytest.raises(openai.AuthenticationError) as caught,
        ):
            ask(client)
        assert caught.value.code == "invalid_api_key"
        assert caught.value.request_id
        assert key not in str(caught.value)


def test_an_unknown_model_names_those_that_exist(client):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "gpt-9000")
    assert (caught.value.code, caught.value.param, caught.value.type) == (
        "model_not_found",
        "model",
        "invalid_request_error",
    )
    assert "voice/demo-chat" in caught.value.message


def test_a_limit_says_when_to_come_back(product, ledger):
    key = product.keys["limited"]
    with openai.OpenAI(base_url=product.base_url, api_key=key, max_retries=0) as client:
        ask(client)
        with pytest.raises(openai.RateLimitError) as caught:
            ask(client)
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < float(caught.value.response.headers["retry-after"]) <= 60
    assert not ledger.mentions(caught.value.request_id)


@pytest.mark.parametrize("status", [429, 503])
def test_retries_are_honoured(product, acme_key, status):
    """The provider says when to come back; the platform does so, and the caller gets the answer of its only call."""
    model = f"mock/{RECOVERING[status]}"
    with openai.OpenAI(base_url=product.base_url, api_key=acme_key, max_retries=0) as client:
        answer = ask(client, model)
    assert answer.choices[0].message.content
    received, ends = read_journal(product.journal)
    tries = [each for each in received if f"mock/{each.model}" == model]
    assert [ends[each.number].outcome for each in tries] == ["refused", "completed"]
    assert tries[1].at - tries[0].at >= 1


# Fault of the upstream → what a caller gets: exception class, status, code.
REFUSALS = {
    "400 of the context's length": (
        plan("context_length"),
        openai.BadRequestError,
        400,
        "context_length_exceeded",
    ),
    "400 of a content filter": (plan("content_filter"), openai.BadRequestError, 400, "content_filter"),
    "404": (plan("status", status=404), openai.APIStatusError, None, None),
    "422": (plan("status", status=422), openai.UnprocessableEntityError, 422, None),
    "429": (plan("status", status=429, retry="3"), openai.RateLimitError, 429, None),
    "500": (plan("status", status=500), openai.InternalServerError, None, None),
    "503": (plan("status", status=503), openai.InternalServerError, None, None),
    # The provider refuses our key, not the caller's: that is no 401.
    "401": (plan("status", status=401), openai.InternalServerError, 502, None),
    "403": (plan("status", status=403), openai.InternalServerError, 502, None),
    "reset": (plan("reset"), openai.InternalServerError, 502, "upstream_reset"),
    "silence": (plan("silent", seconds=5), openai.InternalServerError, 504, "upstream_timeout"),
    "late headers": (plan("delay", seconds=5), openai.InternalServerError, 504, "upstream_timeout"),
    # As JSON it is garbled; as a stream it ends before it has begun.
    "garbage": (plan("garbage", size=500), openai.InternalServerError, 502, None),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_fault_before_the_first_byte_has_a_status(client, ledger, name, stream):
    extra, kind, status, code = REFUSALS[name]
    with pytest.raises(kind) as caught:
        ask(client, extra=extra, stream=stream)
    error = caught.value
    assert status in (None, error.status_code)
    assert code in (None, error.code)
    assert error.message
    # What may pass by itself is tried twice.
    for row in ledger.attempts(error.request_id):
        assert row["outcome"] == "failed"
        assert row["error_code"]
        # Nothing was answered, so nothing is charged.
        assert row["charge_nano"] == 0


# An answer that is not streamed has its whole body before the first byte.
HALVES = {
    "cut": (plan("cut"), 502),
    "truncated": (plan("truncated"), 502),
    "malformed": (plan("malformed"), 502),
    "stalled": (plan("stall", seconds=5), 504),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_an_answer_is_no_answer(client, ledger, name):
    extra, status = HALVES[name]
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, extra=extra)
    assert caught.value.status_code == status
    assert {row["outcome"] for row in ledger.attempts(caught.value.request_id)} <= {"failed", "cut"}


BREAKS = {
    "cut": plan("cut", after=3, chunks=8),
    "truncated": plan("truncated", after=3, chunks=8),
    "malformed": plan("malformed", after=3, chunks=8),
    "stalled": plan("stall", after=3, chunks=8, seconds=5),
    "an error of the provider": plan("error_event", after=3, chunks=8),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_stream_that_breaks_says_so(client, ledger, name):
    """Never a truncated answer that looks complete: the SDK raises, after the text that came."""
    stream = ask(client, extra=BREAKS[name], stream=True)
    request_id = stream.response.headers["x-request-id"]
    got: list[str] = []
    with pytest.raises(openai.APIError):
        got.extend(chunk.choices[0].delta.content for chunk in stream)
    assert got == ["word0 ", "word1 ", "word2 "]
    row = ledger.only(request_id)
    assert row["outcome"] == "cut"
    assert row["error_code"]
    assert row["usage_source"] in ("counted", "estimated")
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    assert row["cost_nano"] > 0


def test_a_stream_without_finish_or_usage_is_not_passed_off_as_complete(client, ledger):
    stream = ask(client, extra=plan("no_finish", chunks=4), stream=True)
    with pytest.raises(openai.APIError):
        list(stream)
    assert ledger.only(stream.response.headers["x-request-id"])["outcome"] == "cut"


def test_a_stream_that_only_lacks_its_last_line_is_complete(client, ledger):
    stream = ask(client, extra=plan("no_done", chunks=4), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "word0 word1 word2 word3 "
    row = ledger.only(stream.response.headers["x-request-id"])
    assert (row["outcome"], row["usage_source"]) == ("completed", "provider")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_usage_that_the_provider_keeps_to_itself_is_counted(client, ledger, stream):
    answered = ask(client, extra=plan("none", chunks=12, usage=False), stream=stream)
    request_id = answered.response.headers["x-request-id"] if stream else answered._request_id
    if stream:
        list(answered)
    row = ledger.only(request_id)
    assert row["usage_source"] in ("counted", "estimated")
    assert row["outcome"] == "completed"
    assert row["output_tokens"] >= 12


def test_bytes_cut_anywhere_are_put_together(client, ledger):
    stream = ask(client, "patient/mock", extra=plan("drip", size=7, chunks=20), stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "".join(f"word{index} " for index in range(20))
    assert ledger.only(stream.response.headers["x-request-id"])["output_tokens"] == 20


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_route_fails_over_and_records_every_attempt(client, ledger, stream):
    answered = ask(client, "careful", stream=stream)
    request_id = answered.response.headers["x-request-id"] if stream else answered._request_id
    if stream:
        list(answered)
    attempts = ledger.attempts(request_id)
    assert [(row["attempt"], row["provider"], row["outcome"]) for row in attempts] == [
        (1, "nowhere", "failed"),
        (2, "mock", "failed"),
        (3, "voice", "completed"),
    ]
    assert {row["requested_model"] for row in attempts} == {"careful"}
    assert [row["charge_nano"] > 0 for row in attempts] == [False, False, True]


def test_a_route_without_a_way_out_says_what_happened_last(client, ledger):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "doomed")
    first, *others = ledger.attempts(caught.value.request_id)
    assert (first["provider"], {row["provider"] for row in others}) == ("nowhere", {"mock"})
    assert {row["outcome"] for row in (first, *others)} == {"failed"}


def test_an_impatient_caller_gets_the_sdks_own_timeout(client, ledger, product):
    slow = plan("delay", seconds=5)
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.5), "patient/mock", extra=slow)
    ledger.wait_settled()


def test_nobody_there(acme_key):
    with (
        openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key=acme_key, max_retries=0) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        ask(client)
