"""A process that dispatches and settles until it is killed: `python -m billing.tests.spender PROCESS_ID`.

Prints each request id once its intent is durable. Every third attempt is never settled.
"""

import asyncio
import sys
from uuid import UUID

from billing.ledger.writer import LedgerWriter
from billing.tests.entries import database_url, make_intent, make_settlement


async def spend(writer: LedgerWriter, number: int) -> None:
    while True:
        number += 1
        intent = make_intent(process_id=writer.process_id)
        await writer.open(intent)
        print(intent.request_id, flush=True)  # noqa: T201
        await asyncio.sleep(0.005)
        if number % 3:
            writer.settle(make_settlement(intent))


async def main(process_id: UUID) -> None:
    writer = LedgerWriter(database_url(), process_id=process_id, kind="test")
    await writer.start()
    await asyncio.gather(*(spend(writer, number) for number in range(10)))


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1])))
