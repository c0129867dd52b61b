"""How often the classifier is right on prompts it never saw, how long it takes, and what it saves."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from benchmarks.auto.labelled import Labelled, held_out, trained_on
from benchmarks.auto.saving import ANSWER_TOKENS, LADDERS, Ladder, Outcome, outcome
from benchmarks.auto.train import SEED, Quality, examples_of, quality_of
from benchmarks.load.percentiles import percentile
from benchmarks.report import Check, Report
from benchmarks.series import Series
from gateway.routing.auto.classifier import TIERS, Classified, Router, trained
from providers.wire.registry import SPEECHES
from providers.wire.shapes import ChatRequest

DIALS: Final = (0, 25, 40, 50, 60, 75, 90, 100)
LEAST_RIGHT: Final = 0.85
MOST_MILLISECONDS: Final = 1.0
TIMED: Final = 2_000
PASTED: Final = (
    "Please compare the offers below with regard to price, risk and delivery, and say which one we should take. "
)


COLUMNS: Final = (
    "dial", "quality", "cost", "saved against the strongest", "random, equal shares: quality", "its cost",
    "random, equal quality: cost", "saved against it",
)  # fmt: skip
EXPLAINED: Final = (
    "Quality is the share of prompts sent at least to a model meant for their labelled tier; cost is relative to the "
    "strongest model for all. Random of equal shares draws models by lot in auto's shares; random of equal quality "
    "sends as many more to the strongest as it takes to match auto. The set holds about as many prompts of each "
    "tier; where most questions are simple more is saved. One team wrote prompts and features: expect less on other "
    "traffic."
)


def report() -> Report:
    prompts, quality = held_out(), held_out_quality()
    said = classified(prompts)
    return Report(
        name="auto",
        title="Routing by query: right on held-out prompts, and what it saves",
        parameters={
            "prompts": f"{len(trained_on())} for training, {len(prompts)} held out",
            "seed": SEED,
            "assumed tokens of an answer": ", ".join(f"{tier} {tokens:,}" for tier, tokens in ANSWER_TOKENS.items()),
        },
        series=measured(),
        checks=[
            Check(
                "at least 85% of the held-out prompts get their tier",
                f"{quality.right:.1%}",
                quality.right >= LEAST_RIGHT,
            )
        ],
        notes=(
            f"Held out, by labelled tier (rows) and what was said (columns):\n\n{confusion_table(quality)}",
            *(saving_table(ladder, prompts, said) for ladder in LADDERS),
            EXPLAINED,
        ),
    )


def measured() -> list[Series]:
    prompts = held_out()
    return [*times(trained()), *savings(prompts, classified(prompts))]


def classified(prompts: Sequence[Labelled]) -> list[Classified]:
    return [trained().classify(each.request()) for each in prompts]


def held_out_quality() -> Quality:
    return quality_of(trained(), examples_of(held_out()))


def times(router: Router) -> list[Series]:
    """CPU of the classifying thread, in rounds."""
    prompts = [each.request() for each in held_out()]
    pasted = chat(PASTED * (4_096 // len(PASTED)))
    group = "time of one classification"
    return [
        timed(router, prompts, "a prompt of the set", group),
        timed(router, [pasted], "a prompt of 4 KB", group),
        timed(router, [chat("Summarise this:\n\n" + "word " * 200_000)], "a prompt of 1 MB", group, TIMED // 10),
    ]


def timed(router: Router, requests: Sequence[ChatRequest], name: str, group: str, times: int = TIMED) -> Series:
    rounds = [p95(lambda number: router.classify(requests[number % len(requests)]), times) for _ in range(5)]
    return Series("auto", f"{name}, p95", "ms", rounds, MOST_MILLISECONDS if "MB" not in name else None, group)


def p95(call: Callable[[int], object], times: int) -> float:
    taken = []
    for number in range(times):
        began = time.thread_time_ns()
        call(number)
        taken.append((time.thread_time_ns() - began) / 1_000_000)
    return percentile(taken, 95)


def chat(text: str) -> ChatRequest:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    return SPEECHES["chat"].parse_request(msgspec.json.encode(body))


def savings(prompts: Sequence[Labelled], said: Sequence[Classified]) -> list[Series]:
    """Cost of each way beside the other, in percent of the strongest model for all, at the middle of the dial."""
    found = []
    for ladder in LADDERS:
        at_fifty = outcome(ladder, prompts, said, 50)
        group = f"cost with {', '.join(rung.model for rung in ladder.rungs)}"
        found += [
            Series("strongest for all", "cost", "%", [100.0], None, group),
            Series("random of equal quality", "cost", "%", [100 * at_fifty.mixed_cost], None, group),
            Series("random of equal shares", "cost", "%", [100 * at_fifty.random_cost], None, group),
            Series("auto", "cost with the dial at 50", "%", [100 * at_fifty.cost], None, group),
        ]
    return found


def confusion_table(quality: Quality) -> str:
    lines = [f"| | {' | '.join(TIERS)} | right |", "|---" * 6 + "|"]
    for number, (tier, row) in enumerate(zip(TIERS, quality.confusion, strict=True)):
        lines.append(f"| {tier} | {' | '.join(map(str, row))} | {row[number] / sum(row):.0%} |")
    return "\n".join(lines)


def saving_table(ladder: Ladder, prompts: Sequence[Labelled], said: Sequence[Classified]) -> str:
    rungs = ", ".join(f"{rung.model} up to {rung.tier}" for rung in ladder.rungs)
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "--:|" * len(COLUMNS)]
    lines += [row_of(dial, outcome(ladder, prompts, said, dial)) for dial in DIALS]
    return f"### {rungs}\n\n" + "\n".join(lines)


def row_of(dial: int, found: Outcome) -> str:
    shares = (found.quality, found.cost, 1 - found.cost, found.random_quality, found.random_cost, found.mixed_cost)
    saved = 1 - found.cost / found.mixed_cost
    return f"| {dial} | {' | '.join(f'{share:.1%}' for share in (*shares, saved))} |"
