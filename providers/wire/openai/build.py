"""A caller's request for a server of its own format: as written, but for the model's name and what the server calls
otherwise."""

import msgspec

from providers.wire.endpoints import fitted
from providers.wire.neutral import Losses, Prompt
from providers.wire.openai.endpoint import endpoint_url
from providers.wire.openai.uploads import FormPart, boundary_of, content_type_of, read_form, with_fields, write_form
from providers.wire.shapes import NO_QUIRKS, ChatRequest, Secret, Target, UpstreamRequest

ENCODER = msgspec.json.Encoder()
REPORT_USAGE_IN_STREAMS = ("chat", "completions")
CONTENT_TYPE = "content-type"
NOTHING_ASKED = Prompt(messages=())


def build_request(request: ChatRequest, target: Target) -> UpstreamRequest:
    """Raises InvalidRequest for what the target has not, unless the route drops it."""
    if request.dialect != "chat" or target.quirks is not NO_QUIRKS:
        return build_upload(request, target) if request.upload else build_fitted(request, target)
    fields: dict[str, object] = dict(request.fields)
    fields["model"] = target.model
    if request.stream and not request.include_usage:
        fields["stream_options"] = {**request.stream_options, "include_usage": True}
    return UpstreamRequest(
        url=f"{target.base_url}/chat/completions",
        headers=target.headers,
        body=ENCODER.encode(fields),
        stream=request.stream,
    )


def build_fitted(request: ChatRequest, target: Target) -> UpstreamRequest:
    url = endpoint_url(target, request.dialect, request.model)
    fields: dict[str, object] = dict(request.fields)
    fields["model"] = target.model
    if request.stream and not request.include_usage and request.dialect in REPORT_USAGE_IN_STREAMS:
        fields["stream_options"] = {**request.stream_options, "include_usage": True}
    losses = Losses(NOTHING_ASKED, request.model, drop=target.drop_params)
    fields = fitted(fields, target.quirks, losses, {})
    return UpstreamRequest(
        url=url,
        headers=target.headers,
        body=ENCODER.encode(fields),
        stream=request.stream,
        dropped=tuple(losses.dropped),
    )


def build_upload(request: ChatRequest, target: Target) -> UpstreamRequest:
    """A form, with the model's name in it replaced and the rest as it came."""
    url = endpoint_url(target, request.dialect, request.model)
    losses = Losses(NOTHING_ASKED, request.model, drop=target.drop_params)
    boundary = boundary_of(request.content_type)
    parts = fitted_form(read_form(request.upload, boundary), target, losses)
    return UpstreamRequest(
        url=url,
        headers=with_content_type(target.headers, content_type_of(boundary)),
        body=write_form(parts, boundary),
        stream=request.stream,
        dropped=tuple(losses.dropped),
    )


def fitted_form(parts: list[FormPart], target: Target, losses: Losses) -> list[FormPart]:
    quirks = target.quirks
    kept: list[FormPart] = []
    for part in with_fields(parts, {"model": target.model.encode()}):
        if part.name in quirks.renamed:
            kept.append(msgspec.structs.replace(part, name=quirks.renamed[part.name]))
        elif part.name in quirks.unsupported:
            losses.lose(part.name)
        else:
            kept.append(part)
    return kept


def with_content_type(headers: tuple[tuple[str, Secret], ...], content_type: str) -> tuple[tuple[str, Secret], ...]:
    kept = tuple(header for header in headers if header[0].lower() != CONTENT_TYPE)
    return (*kept, (CONTENT_TYPE, Secret(content_type)))
