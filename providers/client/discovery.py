"""Asking a server which models it has. Control plane: seldom, at leisure, never on the way of a completion."""

from typing import Final

import httpx2
import msgspec

from common.errors import UpstreamGarbled, UpstreamUnreachable

DEADLINE_SECONDS: Final = 2.0
LARGEST_LIST: Final = 4 * 1024 * 1024


class Entry(msgspec.Struct):
    id: str


class Listing(msgspec.Struct):
    data: list[Entry] | None = None


def list_models(base_url: str) -> tuple[str, ...]:
    """The ids at `base_url`/models (platform.openai.com/docs/api-reference/models/list).

    Raises UpstreamUnreachable and UpstreamGarbled.
    """
    try:
        with httpx2.Client(timeout=DEADLINE_SECONDS, trust_env=False, follow_redirects=False) as client:
            answer = client.get(f"{base_url}/models")
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise UpstreamUnreachable(f"No answer from {base_url} within {DEADLINE_SECONDS:g} seconds.") from None
    if answer.status_code != 200 or len(answer.content) > LARGEST_LIST:
        raise UpstreamGarbled(f"{base_url} answered with status {answer.status_code}.")
    try:
        listing = msgspec.json.decode(answer.content, type=Listing)
    except msgspec.DecodeError:
        raise UpstreamGarbled(f"{base_url} did not answer with a list of models.") from None
    return tuple(sorted(entry.id for entry in listing.data or ()))
