"""A provider's bytes of an answer that may be kept, as they come in; never more of them than there is room for."""

from typing import Final

# A stream is written at more length than what it says: some 40 bytes for each that is kept.
TIMES_AS_LONG: Final = 40
MOST_BYTES_OF_ONE: Final = 4_194_304


class Taps:
    """The room of one process for all answers that are being kept, in bytes."""

    def __init__(self, most_bytes: int = 67_108_864) -> None:
        self.most_bytes = most_bytes
        self.held = 0

    def tap(self, most_bytes: int, *, stream: bool) -> "Tap":
        """`most_bytes` is what may be kept of the answer in the end."""
        return Tap(self, min(most_bytes * TIMES_AS_LONG if stream else most_bytes * 2, MOST_BYTES_OF_ONE))


class Tap:
    """One attempt's. `close` gives the room back, whatever became of it."""

    __slots__ = ("_most", "_pieces", "_size", "_taps")

    def __init__(self, taps: Taps, most: int) -> None:
        self._taps = taps
        self._most = most
        self._size = 0
        self._pieces: list[bytes] | None = []

    def add(self, piece: bytes) -> None:
        """The next of what the provider sent. Once it is too much nothing is held any more."""
        if self._pieces is None:
            return
        size = len(piece)
        self._size += size
        self._taps.held += size
        if self._size > self._most or self._taps.held > self._taps.most_bytes:
            self.close()
        else:
            self._pieces.append(piece)

    @property
    def pieces(self) -> list[bytes] | None:
        """All of it, as it came in; None where it was too much, or after `close`."""
        return self._pieces

    def close(self) -> None:
        self._taps.held -= self._size
        self._size = 0
        self._pieces = None
