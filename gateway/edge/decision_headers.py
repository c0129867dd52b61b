"""What was decided for a request, in short, as headers of its answer. The whole of it is at /v1/requests/{id}."""

from gateway.answers import Answer
from gateway.edge.asgi import Headers


def decision_headers(answering: Answer) -> Headers:
    """Names of models and routes may hold any character: what a header cannot carry is shown as a question mark."""
    deciding, source = answering.deciding, answering.source
    shown = [(b"x-orchestrator-model", header_text(source.answered_by))]
    resolution = deciding.resolution
    if resolution is not None and resolution.route is not None:
        shown.append((b"x-orchestrator-route", header_text(resolution.name)))
    if deciding.tried:
        shown.append((b"x-orchestrator-attempts", b"%d" % (len(deciding.tried) + 1)))
    if deciding.cache != "off":
        shown.append((b"x-orchestrator-cache", deciding.cache.encode()))
    if source.dropped:
        shown.append((b"x-orchestrator-dropped-params", ", ".join(source.dropped).encode("ascii", "replace")))
    return shown


def header_text(text: str) -> bytes:
    return text.encode() if text.isascii() and text.isprintable() else ascii_of(text)


def ascii_of(text: str) -> bytes:
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text).encode()
