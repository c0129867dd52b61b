"""What costs more than the price list says, and is asked for in a request.

At a tenant's own provider the tenant pays whatever it is. At the platform's nobody could be charged for it: refused.
(platform.claude.com/docs/en/pricing; platform.openai.com/docs/pricing)
"""

from typing import Final

import msgspec

from common.errors import InvalidRequest
from providers.wire.shapes import ChatRequest

USUAL_TIERS: Final = (b'"auto"', b'"default"', b'"standard_only"', b"null")
FIELDS: Final = ("speed", "inference_geo", "web_search_options", "mcp_servers", "container")
USUAL_TOOLS: Final = (None, "function", "custom")


class Tool(msgspec.Struct):
    type: str | None = None


TOOLS: Final = msgspec.json.Decoder(list[Tool])


def refuse_extras(request: ChatRequest) -> None:
    """Raises InvalidRequest naming the field. Tools that a vendor runs itself are billed by the use."""
    fields = request.fields
    tier = fields.get("service_tier")
    if tier is not None and bytes(tier) not in USUAL_TIERS:
        raise extra("service_tier")
    for name in FIELDS:
        if name in fields and bytes(fields[name]) != b"null":
            raise extra(name)
    if (tools := fields.get("tools")) is not None:
        for position, tool in enumerate(read_tools(tools)):
            if tool.type not in USUAL_TOOLS:
                raise extra(f"tools[{position}].type")


def read_tools(raw: msgspec.Raw) -> list[Tool]:
    """Tools that nobody can read are the provider's to refuse."""
    try:
        return TOOLS.decode(raw)
    except msgspec.DecodeError:
        return []


def extra(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{name}' costs extra at this model's provider, which the platform pays. Use a provider of your own for it.",
        param=name,
        code="unsupported_parameter",
    )
