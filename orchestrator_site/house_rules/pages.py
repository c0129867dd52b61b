"""Pages keep to the content security policy: nothing inline, nothing from another host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from orchestrator_site.house_rules.source import Source, Violation

LOADING = {"src", "srcset", "poster", "action", "formaction", "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"}
ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
INERT_SCRIPTS = {"application/json"}
LOADED_BY_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", re.IGNORECASE)
LOADED_BY_SCRIPT = re.compile(r"(?:\bfrom|\bimport|\bimport\(|\bfetch\()\s*[\"'`](?:https?:)?//")
EVALUATED = re.compile(r"\beval\(|\bnew Function\(")


class Page(HTMLParser):
    """Collects what a template says that the policy would refuse. Template tags pass as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.refused: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        for message in (*inline(tag, attributes), *foreign(tag, attributes)):
            self.refused.append((self.getpos()[0], message))


def inline(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    if tag == "style":
        yield "an inline style sheet"
    if tag == "script" and "src" not in attributes and attributes.get("type") not in INERT_SCRIPTS:
        yield "an inline script"
    for name, value in attributes.items():
        if name == "style" or re.fullmatch(r"on[a-z]+", name) or name.startswith(("hx-on", "data-hx-on")):
            yield f"the attribute {name}"
        if value.strip().lower().startswith("javascript:"):
            yield f"a javascript: address in {name}"


def foreign(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    """What a page loads from, or sends to, another host. A plain link may lead anywhere."""
    for name, value in attributes.items():
        loads = name in LOADING or (name == "href" and tag in {"link", "base", "use", "image"})
        if loads and ELSEWHERE.match(value.strip()):
            yield f"{name} names another host"


def clean_templates(source: Source) -> Iterator[Violation]:
    if source.place.suffix == ".html":
        page = Page()
        page.feed(source.text)
        page.close()
        for line, message in page.refused:
            yield source.breaks(line, f"{message}; the content security policy refuses it")


def clean_static(source: Source) -> Iterator[Violation]:
    patterns = {".css": (LOADED_BY_STYLE,), ".js": (LOADED_BY_SCRIPT, EVALUATED)}.get(source.place.suffix, ())
    for pattern in patterns:
        for match in pattern.finditer(source.text):
            line = source.text.count("\n", 0, match.start()) + 1
            yield source.breaks(line, f"{match.group().strip()} … is refused by the content security policy")
