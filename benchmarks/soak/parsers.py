"""Every parser of every wire against recorded exchanges damaged at random: none may raise what it doesn't say.

Readers of whole bodies may raise errors of the platform's own tree; readers of streams nothing at all.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Check, Report
from common.errors import OrchestratorError
from providers.wire.neutral import Prompt
from providers.wire.registry import SPEECHES, WIRES
from providers.wire.shapes import ChatRequest

RECORDED: Final = Path(__file__).resolve().parents[2] / "providers" / "tests" / "recorded"
EVERY: Final = 50_000
MOST_WOUNDS: Final = 8
PIECES: Final = (
    *(b'"', b"{", b"}", b"[", b"]", b":", b",", b"\n", b"\r\n", b"\n\n", b"data: ", b"event: ", b"\\", b"\\ud800"),
    *(b"null", b"true", b"-1", b"1e999", b"99999999999999999999", b"0.5", b'""', b"\xff", b"\x00", b"\xed\xa0\x80"),
)
Parse = Callable[[bytes, random.Random], None]


def soak(progress: Callable[[str], None], *, requests: int = 1_000_000, seed: int = 2) -> Report:
    dice = random.Random(seed)
    parsers = list(all_parsers())
    tried: Counter[str] = Counter()
    raised: list[str] = []
    for number in range(requests):
        name, samples, parse = parsers[number % len(parsers)]
        wounded = wound(dice.choice(samples), dice)
        tried[name] += 1
        try:
            parse(wounded, dice)
        except OrchestratorError:
            pass
        except Exception as error:
            raised.append(f"{name}: {error!r} for {wounded[:200]!r}")
        if number % EVERY == 0:
            progress(f"{number:,} of {requests:,} inputs, {len(raised)} raised")
    return Report(
        name="soak-parsers",
        title="Damaged exchanges against every parser",
        parameters={"inputs": requests, "seed": seed, "inputs by parser": dict(tried)},
        checks=[Check("no parser raises what it does not say", "; ".join(raised[:5]) or "0", not raised)],
    )


def all_parsers() -> Iterator[tuple[str, list[bytes], Parse]]:
    for name, wire in WIRES.items():
        folder = RECORDED / name
        if not folder.exists():
            continue
        whole = [path.read_bytes() for path in sorted(folder.glob("*.json"))]
        streamed = [path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in (".sse", ".ndjson")]
        yield f"{name} answer", whole, answers(wire)
        yield f"{name} error", whole, errors(wire)
        yield f"{name} stream", streamed, streams(lambda wire=wire: wire.read_stream(Prompt(messages=())))  # type: ignore[misc]
        if wire.native:
            yield f"{name} native stream", streamed, streams(native(wire))
    for dialect, speech in SPEECHES.items():
        yield f"{dialect} request", [path.read_bytes() for path in sorted(RECORDED.glob("*/*.json"))], asking(speech)


def answers(wire: Any) -> Parse:
    def parse(wounded: bytes, dice: random.Random) -> None:
        wire.read_answer(wounded)

    return parse


def errors(wire: Any) -> Parse:
    def parse(wounded: bytes, dice: random.Random) -> None:
        wire.parse_error(dice.choice((302, 400, 401, 404, 429, 500, 503)), {}, wounded)

    return parse


def native(wire: Any) -> Callable[[], Any]:
    asked = ChatRequest(
        model="m",
        stream=True,
        include_usage=True,
        max_output_tokens=None,
        choices=1,
        fields={},
        input_bytes=2,
        dialect="messages" if "messages" in wire.native else "chat",
    )
    return lambda: wire.parse_stream(asked)


def streams(make: Callable[[], Any]) -> Parse:
    """Cut in two anywhere. Whatever leaves is turned into a failure of the soak, the platform's own errors too."""

    def parse(wounded: bytes, dice: random.Random) -> None:
        parser, cut = make(), dice.randint(0, len(wounded))
        try:
            parser.feed(wounded[:cut])
            parser.feed(wounded[cut:])
            parser.close()
        except OrchestratorError as error:
            raise RuntimeError("a stream's parser raised") from error

    return parse


def asking(speech: Any) -> Parse:
    opening = b'{"model":"m","max_tokens":9,"prompt":"x","input":"x","messages":[{"role":"user","content":'

    def parse(wounded: bytes, dice: random.Random) -> None:
        """A body that begins like a request, so that some of the damage lies deep."""
        body = opening + wounded[: dice.randint(0, 300)] + b"}]}" if dice.random() < 0.7 else wounded
        speech.prompt_of(speech.parse_request(body))

    return parse


def wound(sample: bytes, dice: random.Random) -> bytes:
    wounded = bytearray(sample)
    for _ in range(dice.randint(1, MOST_WOUNDS)):
        at = dice.randint(0, len(wounded))
        match dice.randrange(4):
            case 0:
                wounded[at:at] = dice.choice(PIECES)
            case 1:
                del wounded[at : at + dice.randint(1, 20)]
            case 2:
                wounded[at : at + 1] = bytes([dice.randrange(256)])
            case _:
                wounded[at:at] = wounded[max(0, at - dice.randint(1, 60)) : at]
    return bytes(wounded)
