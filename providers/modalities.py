"""What a model takes or makes, as far as its capabilities and its prices tell. Pure."""

from collections.abc import Iterable
from typing import Final

from providers.prices import Price

MODALITIES: Final = ("text", "image", "audio", "video", "document")
# Vendors and people have several words for the same thing.
WORDS: Final = {
    "vision": "image",
    "image": "image",
    "images": "image",
    "image_input": "image",
    "image_generation": "image",
    "audio": "audio",
    "audio_input": "audio",
    "speech": "audio",
    "transcription": "audio",
    "video": "video",
    "pdf": "document",
    "document": "document",
    "documents": "document",
    "file": "document",
    "files": "document",
}


def modalities_of(capabilities: Iterable[str], price: Price | None) -> tuple[str, ...]:
    """Text always, then what else is known of, in the order of MODALITIES."""
    known = {"text", *(WORDS[word] for word in map(str.lower, capabilities) if word in WORDS)}
    if price is not None and (price.input_audio or price.output_audio):
        known.add("audio")
    return tuple(each for each in MODALITIES if each in known)
