"""An API that answers a text with a text:

POST {base_url}/answers   {"model": "…", "text": "…"}   →   {"answer": "…", "tokens": [sent, generated]}

and a rule: who has a provider that speaks it says so in its name.
"""

import json
from collections.abc import Mapping
from typing import Any

from common.errors import InvalidRequest, OrchestratorError, UpstreamGarbled
from providers.wire.neutral import Answer, Choice, Event, Failed, Losses, Prompt, Text
from providers.wire.only_translated import OnlyTranslated
from providers.wire.openai.errors import parse_error
from providers.wire.ports import EventParser
from providers.wire.shapes import Secret, Target, UpstreamRequest, Usage


class AcmeWire(OnlyTranslated):
    """Callers of every dialect reach it by translation. It has no streams: an answer comes whole."""

    name = "acme"

    def credential_headers(self, secret: str) -> tuple[tuple[str, Secret], ...]:
        return (("x-acme-key", Secret(secret)),)

    def build_prompt(self, prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
        """What Acme has no word for is lost aloud: refused, or left out where the route says so."""
        losses = Losses(prompt, target.model, drop=target.drop_params)
        if prompt.tools:
            losses.lose("tools")
        words = [part.text for message in prompt.messages for part in message.parts if isinstance(part, Text)]
        return UpstreamRequest(
            url=f"{target.base_url}/answers",
            headers=target.headers,
            body=json.dumps({"model": target.model, "text": "\n".join(words)}).encode(),
            stream=False,
            dropped=tuple(losses.dropped),
        )

    def read_answer(self, body: bytes) -> Answer:
        try:
            said = json.loads(body)
            sent, generated = said["tokens"]
            text = Text(text=str(said["answer"]))
            usage = Usage(input_tokens=int(sent), output_tokens=int(generated))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UpstreamGarbled("Acme's answer is not what its documentation says.") from None
        return Answer(choices=(Choice(parts=(text,), finish="stop"),), usage=usage)

    def read_stream(self, prompt: Prompt) -> EventParser:
        return NoStream()

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return parse_error(status, headers, body)


class NoStream:
    def feed(self, received: bytes) -> list[Event]:
        return [Failed(error=UpstreamGarbled("Acme has no streams."))]

    def close(self) -> list[Event]:
        return []


def check(provider: Mapping[str, Any]) -> None:
    """Raises InvalidRequest."""
    if provider["wire"] == "acme" and not provider["name"].startswith("acme-"):
        raise InvalidRequest("The name of a provider that speaks acme begins with acme-.", param="name")
