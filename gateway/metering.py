"""Reading along: what an attempt has used so far, from the chunks that pass."""

from providers.wire.shapes import Chunk, Usage

MOST_TEXT_KEPT = 1_000_000


class Meter:
    """Sees every chunk of one attempt. Text is kept, up to a bound, in case that no usage comes."""

    __slots__ = ("_characters", "_text", "finish_reason", "finished", "output_bytes", "usage", "usage_is_final")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.usage_is_final = False
        self.finish_reason: str | None = None
        self.finished = False
        self.output_bytes = 0
        self._text: list[str] = []
        self._characters = 0

    def see(self, chunk: Chunk) -> None:
        text = chunk.text
        if text:
            self.output_bytes += len(text) if text.isascii() else len(text.encode())
            if self._characters < MOST_TEXT_KEPT:
                self._characters += len(text)
                self._text.append(text)
        if chunk.usage is not None and (chunk.usage.input_tokens or chunk.usage.output_tokens):
            self.usage = chunk.usage
            # What comes before the end may be the prompt's alone.
            self.usage_is_final = chunk.finished
        if chunk.finish_reason is not None:
            self.finish_reason = chunk.finish_reason
        if chunk.finished:
            self.finished = True

    @property
    def text(self) -> str:
        return "".join(self._text)
