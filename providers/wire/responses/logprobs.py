"""Log probabilities of a chat completion, which are those of a prompt, in the Responses API's shape.

(platform.openai.com/docs/api-reference/responses/object#responses-object-output)
"""

from typing import Final

import msgspec


class Likely(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None

    def __post_init__(self) -> None:
        """Bytes are a matter of course here, and null there where the token has none of its own."""
        if self.bytes is None:
            self.bytes = list(self.token.encode(errors="replace"))


class Chosen(Likely):
    top_logprobs: list[Likely] = []


class Logprobs(msgspec.Struct):
    content: list[Chosen] | None = None


DECODER: Final = msgspec.json.Decoder(Logprobs)
ENCODE: Final = msgspec.json.Encoder().encode


def logprobs_of(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """Nothing for what cannot be read: the text is worth more than what is said about it."""
    if raw is None:
        return []
    try:
        chosen = DECODER.decode(raw).content or []
    except (msgspec.DecodeError, RecursionError):
        return []
    return [msgspec.Raw(ENCODE(each)) for each in chosen]
