"""The limit of an API key as headers (platform.openai.com/docs/guides/rate-limits, "Rate limits in headers")."""

from billing.limits.admission import Admitted
from gateway.edge.asgi import Headers


def limit_headers(admitted: Admitted) -> Headers:
    if admitted.limit is None:
        return []
    return [
        (b"x-ratelimit-limit-requests", b"%d" % admitted.limit),
        (b"x-ratelimit-remaining-requests", b"%d" % admitted.remaining),
        (b"x-ratelimit-reset-requests", duration(admitted.reset_ms)),
    ]


def duration(milliseconds: int) -> bytes:
    """As OpenAI writes it: 120ms, 6.5s, 1m0s."""
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(milliseconds, 60_000)
    seconds = f"{rest / 1000:g}s".encode()
    return b"%dm%s" % (minutes, seconds) if minutes else seconds
