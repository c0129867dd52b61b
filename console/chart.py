"""A bar chart as geometry; the template draws it as SVG beside the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 560
HEIGHT = 160
GAP = 12
LABEL_ROOM = 28
BASE = HEIGHT - LABEL_ROOM


@dataclass(frozen=True, slots=True)
class Bar:
    """In the units of the chart's view box; `middle` and `top` place the labels."""

    weekday: str
    day: int
    value: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        return round(self.y - 6, 1)


def bars(days: Sequence[date], values: Sequence[int]) -> tuple[Bar, ...]:
    """One bar for each value, the largest as high as the chart; a value above nothing always shows."""
    most = max(values, default=0)
    room = HEIGHT - 2 * LABEL_ROOM
    width = (WIDTH - GAP * (len(values) - 1)) / max(1, len(values))
    heights = [max(3.0, room * value / most) if value else 0.0 for value in values]
    return tuple(
        Bar(
            weekday=f"{day:%a}",
            day=day.day,
            value=f"{value:,}",
            x=round(index * (width + GAP), 1),
            y=round(HEIGHT - LABEL_ROOM - height, 1),
            width=round(width, 1),
            height=round(height, 1),
        )
        for index, (day, value, height) in enumerate(zip(days, values, heights, strict=True))
    )
