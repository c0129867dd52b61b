"""Bodies that come compressed although we asked for none (RFC 9110 section 8.4.1)."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from providers.client import failures
from providers.client.exchange import READ_BUFFER, Exchange

# zlib tells gzip and zlib apart by the first bytes.
GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
KNOWN: Final = ("gzip", "x-gzip", "deflate")


async def decoded(exchange: Exchange, coding: str) -> AsyncIterator[bytes]:
    """The body in pieces of at most READ_BUFFER bytes, however much each byte of it stands for.

    Raises UpstreamGarbled for a coding we do not know, and for a body that breaks its own.
    """
    if coding.strip().lower() not in KNOWN:
        raise failures.cut_short()
    unpacking, whole = zlib.decompressobj(GZIP_OR_ZLIB), True
    while packed := await exchange.piece():
        while packed:
            try:
                piece = unpacking.decompress(packed, READ_BUFFER)
            except zlib.error:
                raise failures.cut_short() from None
            packed, whole = unpacking.unconsumed_tail, unpacking.eof
            if whole:
                packed, unpacking = unpacking.unused_data, zlib.decompressobj(GZIP_OR_ZLIB)
            if piece:
                yield piece
    if not whole:
        raise failures.cut_short()
