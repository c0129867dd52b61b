"""The model of a request that names several: OpenRouter's `models` (openrouter.ai/docs/features/model-routing)."""

from collections.abc import Mapping

import msgspec

from common.errors import InvalidRequest

SEVERAL = "models"
NULL = msgspec.Raw(b"null")
LIST = msgspec.json.Decoder(list[msgspec.Raw])


def with_model(fields: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """The fields, where `model` was left out, with the first of `models` in its place. Raises InvalidRequest."""
    if fields.get("model", NULL) == NULL and fields.get(SEVERAL, NULL) != NULL:
        names = listed(fields, SEVERAL)
        if names:
            fields["model"] = names[0]
    return fields


def listed(fields: Mapping[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    try:
        return LIST.decode(fields[name])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(f"'{name}' must be a list of models.", param=name, code="invalid_type") from None
