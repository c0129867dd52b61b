"""Wire formats and dialects by name, and how one is spoken to the other."""

from collections.abc import Mapping
from typing import Final

from common.errors import InvalidRequest
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.anthropic.speech import MessagesSpeech
from providers.wire.completions.speech import CompletionsSpeech
from providers.wire.custom.adapter import CustomWire
from providers.wire.embedded import Embedded, Embedder
from providers.wire.extras import refuse_extras
from providers.wire.gemini import embeddings as gemini_embeddings
from providers.wire.gemini.adapter import GeminiWire
from providers.wire.ollama import embeddings as ollama_embeddings
from providers.wire.ollama.adapter import OllamaWire
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.speech import ChatSpeech
from providers.wire.plugins import entry_point_wires
from providers.wire.ports import Speech, Wire
from providers.wire.responses.speech import ResponsesSpeech
from providers.wire.shapes import ChatRequest, Dialect, Target, WireAdapter
from providers.wire.translated import Translated

OWN: Final[tuple[Wire, ...]] = (OpenAIWire(), AnthropicWire(), GeminiWire(), OllamaWire(), CustomWire())
WIRES: Final[dict[str, Wire]] = {**entry_point_wires(), **{wire.name: wire for wire in OWN}}
SPEECHES: Final[Mapping[Dialect, Speech]] = {
    speech.name: speech for speech in (ChatSpeech(), CompletionsSpeech(), MessagesSpeech(), ResponsesSpeech())
}
EMBEDDERS: Final[Mapping[str, Embedder]] = {"gemini": gemini_embeddings, "ollama": ollama_embeddings}


def adapter(name: str) -> Wire:
    """Raises LookupError for a wire that is not spoken here."""
    try:
        return WIRES[name]
    except KeyError:
        raise LookupError(f"no wire format is called {name!r}; there are {', '.join(sorted(WIRES))}") from None


def wire_of(target: Target) -> Wire:
    """Raises LookupError for a wire that is not spoken here."""
    return CustomWire(target.quirks) if target.wire == CustomWire.name else adapter(target.wire)


def spoken(request: ChatRequest, target: Target) -> WireAdapter:
    """How this request is put to a provider: as it is where it speaks the caller's dialect, or translated.

    Raises InvalidRequest for what has no translation, LookupError for a wire that is not spoken here.
    """
    if target.provider_scope == "platform":
        refuse_extras(request)
    wire = wire_of(target)
    if request.dialect in wire.native and (request.dialect != "completions" or has_completions(target)):
        return wire
    if speech := SPEECHES.get(request.dialect):
        return Translated(speech, wire, request)
    if request.dialect == "embeddings" and (embedder := EMBEDDERS.get(target.wire)):
        return Embedded(request, wire, embedder)
    raise InvalidRequest(
        f"'{request.model}' has no endpoint for {request.dialect}. Choose another model.",
        param="model",
        code="unsupported_endpoint",
    )


def has_completions(target: Target) -> bool:
    """Most servers have given up the legacy endpoint, or serve chat models that refuse it: one that has it says so."""
    return bool(target.quirks.paths.get("completions"))
