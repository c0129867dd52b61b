"""What an answer took, told with it to a caller who asks by `x-orchestrator-details: true`: in headers, in a
conversation's JSON as the member `orchestrator`, in a stream as a comment before its last event.

Nothing that is not known is told: neither what usage of ours alone was estimated, nor what a request cost of which
another attempt may have used something as well. The whole of it is at /v1/requests/{id}.
"""

from typing import Final

import msgspec

from billing.decisions.records import CacheOutcome
from common.money import usd_from_nano
from gateway.answers import Answer
from gateway.attempt import Attempt
from gateway.edge.asgi import Headers
from gateway.edge.decision_headers import header_text
from gateway.failover.rescue import Rescued
from gateway.remembering import Replayed
from gateway.settling import Spent, known_usage, spent
from providers.wire.registry import SPEECHES

ENCODE: Final = msgspec.json.Encoder().encode
EVENT_ENDS: Final = (b"\n\n", b"\r\n\r\n")


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """`model` is "provider/model"; `attempts` is 0 for an answer that was kept; amounts are exact, in USD."""

    provider: str
    model: str
    request_id: str
    attempts: int
    cache: CacheOutcome
    cost_usd: str | None = None
    charge_usd: str | None = None


def detail_headers(answering: Answer) -> Headers:
    """The amounts only where all of the answer has come in."""
    shown = [(b"x-orchestrator-provider", header_text(provider_of(answering)))]
    for name, nano in () if (spent := spent_on(answering)) is None else spent._asdict().items():
        word = name.removesuffix("_nano").encode()
        shown.append((b"x-orchestrator-%b-usd" % word, usd(nano).encode()))
        shown.append((b"x-orchestrator-%b-nano" % word, b"%d" % nano))
    return shown


def with_details(answering: Answer, body: bytes) -> bytes:
    """A whole answer with the member `orchestrator`; all else stays as it was written."""
    if answering.deciding.call.request.dialect not in SPEECHES:
        return body
    end = body.rfind(b"}")
    begun = body[:end].rstrip()
    if end < 0 or not begun.startswith(b"{"):
        return body
    comma = b"" if begun == b"{" else b","
    return b"".join((begun, comma, b'"orchestrator":', ENCODE(details_of(answering)), body[end:]))


def before_last_event(events: bytes, comment: bytes) -> bytes:
    """The events that end a stream, with the comment among them."""
    ends = [(events.rfind(end, 0, -len(end)), len(end)) for end in EVENT_ENDS]
    place = max(0 if at < 0 else at + length for at, length in ends)
    return events[:place] + comment + events[place:]


def details_comment(answering: Answer) -> bytes:
    """An event that no client shows; nothing for a stream that is no conversation."""
    if answering.deciding.call.request.dialect not in SPEECHES:
        return b""
    return b": orchestrator %b\n\n" % ENCODE(details_of(answering))


def details_of(answering: Answer) -> Details:
    deciding, source, spent = answering.deciding, answering.source, spent_on(answering)
    return Details(
        provider=provider_of(answering),
        model=source.answered_by,
        request_id=str(deciding.call.request_id),
        attempts=0 if isinstance(source, Replayed) else len(deciding.tried) + 1,
        cache=deciding.cache,
        cost_usd=None if spent is None else usd(spent.cost_nano),
        charge_usd=None if spent is None else usd(spent.charge_nano),
    )


def provider_of(answering: Answer) -> str:
    return answering.source.answered_by.partition("/")[0]


def spent_on(answering: Answer) -> Spent | None:
    """As it will be settled; None while that is not known."""
    if isinstance(answering.source, Replayed):
        return Spent(0, 0)
    attempt = attempt_behind(answering)
    if attempt is None or not attempt.complete or (usage := known_usage(attempt.meter)) is None:
        return None
    if any(each.outcome != "failed" for each in answering.deciding.tried):
        return None
    return spent(attempt.target, usage)


def attempt_behind(answering: Answer) -> Attempt | None:
    """The last to answer."""
    source = answering.source
    if isinstance(source, Rescued):
        return source.attempt
    return source if isinstance(source, Attempt) else None


def usd(nano: int) -> str:
    return f"{usd_from_nano(nano):f}"
