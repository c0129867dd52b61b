"""What translating costs: a message in Anthropic's words to a provider of the OpenAI wire, beside the same chat."""

from benchmarks.load.throughput import throughput
from benchmarks.measures.throughput import CLIENTS, one
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage

BAR = 0.3


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    if stage.translated is None:
        return []
    collected = Collected(f"translation, {CLIENTS} clients")
    plain = next(subject for subject in stage.answers if subject.name == "platform")
    throughput(stage.translated.endpoint, clients=CLIENTS, seconds=1)
    for number in range(1, rounds + 1):
        progress(f"translation {number}/{rounds}")
        same = one(plain, collected, seconds=seconds)
        other = one(stage.translated, collected, seconds=seconds)
        collected.add("translated", "CPU of web that translation adds", "ms", max(other - same, 0.0))
    return collected.series({("translated", "CPU of web that translation adds"): BAR})
