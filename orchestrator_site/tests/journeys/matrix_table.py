"""The table of docs/api.md that says what reaches what: as the journeys have just seen it."""

from collections import defaultdict
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api.md"
BEGIN, END = "<!-- matrix: written by the journeys -->", "<!-- end of matrix -->"
PATHS = {
    "chat": "`/v1/chat/completions`",
    "responses": "`/v1/responses`",
    "messages": "`/v1/messages`",
    "completions": "`/v1/completions`",
}

seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))


def note(dialect: str, wire: str, *, tools: bool, stream: bool) -> None:
    """One pair was shown to work, metered and priced."""
    seen[dialect][wire].add(f"{'tools' if tools else 'text'}{', streamed' if stream else ''}")


def table(wires: list[str]) -> str:
    """In Markdown: a row for each dialect, a column for each wire, what was shown in each cell."""
    lines = [
        f"| caller speaks | {' | '.join(wires)} |",
        f"|---|{'---|' * len(wires)}",
    ]
    for dialect, path in PATHS.items():
        if dialect in seen:
            cells = [cell(seen[dialect][wire]) for wire in wires]
            lines.append(f"| {path} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(shown: set[str]) -> str:
    """`text` and `tools` stand for both ways, whole and streamed."""
    whole = [kind for kind in ("text", "tools") if {kind, f"{kind}, streamed"} <= shown]
    return ", ".join(whole) or "–"


def documented() -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


def write(made: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    DOCUMENT.write_text(f"{before}\n{made}\n{after}", encoding="utf-8")
