"""A chart of horizontal bars as SVG, one panel a group; it shows costs and waits, the table beside it shows all."""

from collections.abc import Sequence
from html import escape

from benchmarks.series import Series

WIDTH, LABEL, ROW, PANEL_HEAD = 900, 330, 22, 44
ROOM = WIDTH - LABEL - 110
COLOURS = {"direct": "#8a94a6", "bare proxy": "#5b8def", "platform": "#0f9d76", "auto": "#0f9d76"}
SHOWN_UNITS = ("ms", "s", "MB", "%")


def chart(title: str, series: Sequence[Series]) -> str:
    """The SVG's text; empty when there is nothing to draw."""
    panels = grouped(series)
    if not panels:
        return ""
    height = 50 + sum(PANEL_HEAD + ROW * len(panel) for panel in panels.values())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="17" font-weight="600">{escape(title)}</text>',
    ]
    top = 50
    for name, panel in panels.items():
        parts += draw_panel(name, panel, top)
        top += PANEL_HEAD + ROW * len(panel)
    return "\n".join([*parts, "</svg>", ""])


def grouped(series: Sequence[Series]) -> dict[str, list[Series]]:
    panels: dict[str, list[Series]] = {}
    for each in series:
        if each.unit in SHOWN_UNITS:
            kind = "CPU, " if each.measure.startswith("CPU") else ""
            panels.setdefault(f"{each.group} ({kind}{each.unit})", []).append(each)
    return panels


def draw_panel(name: str, panel: Sequence[Series], top: int) -> list[str]:
    most = max(max(each.value, each.bar or 0) for each in panel) or 1
    parts = [f'<text x="16" y="{top + 24}" font-weight="600">{escape(name)}</text>']
    for number, each in enumerate(panel):
        parts += draw_row(each, top + PANEL_HEAD - 8 + ROW * number, ROOM / most)
    return parts


def draw_row(each: Series, top: int, scale: float) -> list[str]:
    """Label, bar, value; where a bar is set for it, a red tick there."""
    length = max(1.0, each.value * scale)
    colour = COLOURS.get(each.subject, "#888")
    label = escape(f"{each.subject}: {each.measure}")
    parts = [
        f'<text x="{LABEL - 8}" y="{top + 14}" text-anchor="end">{label}</text>',
        f'<rect x="{LABEL}" y="{top + 3}" width="{length:.1f}" height="{ROW - 8}" fill="{colour}"/>',
    ]
    end = length
    if each.bar is not None:
        x = LABEL + each.bar * scale
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + ROW - 2}" stroke="#c62828" stroke-width="2"/>'
        )
        end = max(end, each.bar * scale)
    bar = "" if each.bar is None else f" (≤ {each.bar:g})"
    parts.append(f'<text x="{LABEL + end + 8:.1f}" y="{top + 14}">{each.value:.3g}{bar}</text>')
    return parts
