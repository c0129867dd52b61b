"""The content of messages and of tools' outputs, as the parts of a prompt.

(platform.openai.com/docs/api-reference/responses/create#responses-create-input)
"""

from collections.abc import Callable
from typing import Final

from providers.wire.data_urls import within_data_url
from providers.wire.neutral import Audio, Document, Image, Part, Refusal, Text
from providers.wire.places import TEXT, missing, wrong_value
from providers.wire.responses.words import CONTENT, Place

ALLOWED: Final[dict[str, tuple[type, ...]]] = {
    "system": (Text,),
    "user": (Text, Image, Document, Audio),
    "assistant": (Text, Refusal),
    "tool": (Text, Image, Document),
}


def content_parts(place: Place, name: str, role: str) -> tuple[Part, ...]:
    """The parts of a field that is a string or a list. What no message of the role can hold is lost."""
    content = place.need(name, CONTENT)
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    found: list[Part] = []
    for index, raw in enumerate(content):
        given = place.item(name, index, raw)
        part = part_of(given)
        if part is None:
            continue
        if isinstance(part, ALLOWED[role]):
            found.append(part)
        else:
            given.lose_whole()
    return tuple(found)


def part_of(given: Place) -> Part | None:
    """None for a part whose content only the vendor has: its `file_id` is lost."""
    reader = READERS.get(given.kind())
    if reader is None:
        raise wrong_value(given.at("type"), *READERS)
    given.forget("type")
    part = reader(given)
    given.close()
    return part


def text_part(given: Place) -> Text:
    # What was said of an answer's text does not matter to the next turn.
    given.forget("annotations", "logprobs")
    return Text(text=given.need("text", TEXT), cache=given.marker())


def refusal_part(given: Place) -> Refusal:
    return Refusal(text=given.need("refusal", TEXT))


def image_part(given: Place) -> Image | None:
    url, detail, cache = given.text("image_url"), given.text("detail"), given.marker()
    if not url:
        if not given.has("file_id"):
            raise missing(given.at("image_url"))
        return None
    media_type, encoded = within_data_url(url)
    if media_type:
        return Image(encoded=encoded, media_type=media_type, detail=detail, cache=cache)
    return Image(url=url, detail=detail, cache=cache)


def file_part(given: Place) -> Document:
    """`file_data` is a data URL, or base64 alone."""
    contents, url, file_id = given.text("file_data"), given.text("file_url"), given.text("file_id")
    title, cache = given.text("filename"), given.marker()
    given.ignore("detail", "auto")
    if not (contents or url or file_id):
        raise missing(given.at("file_data"))
    if not contents:
        return Document(url=url, file_id=file_id, title=title, cache=cache)
    media_type, encoded = within_data_url(contents)
    if media_type:
        return Document(encoded=encoded, media_type=media_type, title=title, cache=cache)
    return Document(encoded=contents, title=title, cache=cache)


def audio_part(given: Place) -> Audio:
    sound = given.needed_child("input_audio")
    found = Audio(encoded=sound.need("data", TEXT), format=sound.need("format", TEXT))
    sound.close()
    return found


READERS: Final[dict[str, Callable[[Place], Part | None]]] = {
    "input_text": text_part,
    "output_text": text_part,
    "refusal": refusal_part,
    "input_image": image_part,
    "input_file": file_part,
    "input_audio": audio_part,
}
