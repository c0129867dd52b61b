"""A settlement that PostgreSQL refuses, made storable: the money must not be lost for a bad word."""

from msgspec.structs import replace

from billing.ledger.rows import Settlement

LONGEST = 200
LARGEST = 2**63 - 1
LONGEST_MS = 2**31 - 1


def salvaged(row: Settlement) -> Settlement:
    """The same settlement with texts PostgreSQL can hold and numbers within its columns."""
    intent, usage = row.intent, row.usage
    return replace(
        row,
        intent=replace(
            intent,
            provider=storable(intent.provider),
            model=storable(intent.model),
            requested_model=storable(intent.requested_model),
            price_version=None if intent.price_version is None else storable(intent.price_version),
        ),
        usage=type(usage)(*(within(getattr(usage, name), LARGEST) for name in usage.__struct_fields__)),
        finish_reason=None if row.finish_reason is None else storable(row.finish_reason),
        error_code=None if row.error_code is None else storable(row.error_code),
        cost_nano=within(row.cost_nano, LARGEST),
        charge_nano=within(row.charge_nano, LARGEST),
        time_to_first_chunk_ms=None
        if row.time_to_first_chunk_ms is None
        else within(row.time_to_first_chunk_ms, LONGEST_MS),
        duration_ms=within(row.duration_ms, LONGEST_MS),
    )


def storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:LONGEST]


def within(number: int, largest: int) -> int:
    return min(max(int(number), 0), largest)
