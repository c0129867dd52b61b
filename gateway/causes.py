"""What went wrong at a target, as far as it decides what is tried next."""

from typing import Final, Literal

from common.errors import InvalidRequest, OrchestratorError, UpstreamError

Cause = Literal[
    "inexpressible", "rejected", "context_too_long", "content_refused", "credential", "rate_limited",
    "unreachable", "failed", "silent", "garbled", "unsuitable",
]  # fmt: skip
"""inexpressible     this target's wire has no words for the request; nothing was sent
rejected             the request is wrong, here and elsewhere
context_too_long     more than the model can read
content_refused      the provider's filter
credential           the key is not accepted, or its quota is used up
rate_limited         too many requests under this key
unreachable          no connection, or one that broke before an answer
failed               the provider's own failure, or its overload
silent               no answer in time
garbled              bytes that are no answer, or an answer that broke off
unsuitable           good, but not for this request: too slow for its route, or not the answer that was begun"""

BY_CODE: Final[dict[str, Cause]] = {
    "context_length_exceeded": "context_too_long",
    "content_filter": "content_refused",
    "content_policy_violation": "content_refused",
    "ResponsibleAIPolicyViolation": "content_refused",
    "upstream_credential": "credential",
    "upstream_quota": "credential",
    "upstream_unreachable": "unreachable",
    "upstream_connect_timeout": "unreachable",
    "upstream_reset": "unreachable",
    "upstream_timeout": "silent",
    "upstream_stalled": "silent",
    "upstream_garbled": "garbled",
    "upstream_cut": "garbled",
    "upstream_diverged": "unsuitable",
    "upstream_slow": "unsuitable",
}
RETRIED: Final[frozenset[Cause]] = frozenset(("rate_limited", "unreachable", "failed", "garbled"))
"""What the same target may be asked again for; a silent one is left alone."""
OF_THE_TARGET: Final[frozenset[Cause]] = frozenset(("unreachable", "failed", "silent", "garbled", "unsuitable"))
"""What another credential of the same model would not mend."""
SAYS_NOTHING: Final[frozenset[Cause]] = frozenset(
    ("inexpressible", "rejected", "context_too_long", "content_refused", "unsuitable")
)
"""Of the target: it works."""
OF_THE_REQUEST: Final[frozenset[Cause]] = frozenset(("rejected", "context_too_long", "content_refused"))


def cause_of(error: OrchestratorError) -> Cause:
    if known := BY_CODE.get(error.code):
        return known
    if isinstance(error, InvalidRequest):
        return "inexpressible"
    if error.status == 429:
        return "rate_limited"
    if error.status == 504:
        return "silent"
    if error.status >= 500 or not isinstance(error, UpstreamError):
        return "failed"
    return "rejected"
