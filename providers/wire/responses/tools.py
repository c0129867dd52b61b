"""Tools and the choice among them (platform.openai.com/docs/api-reference/responses/create#responses-create-tools)."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from providers.wire.neutral import Tool, ToolChoice
from providers.wire.places import FLAG, TEXT, Kind, wrong_value
from providers.wire.responses.words import Place

CHOICE: Final[Kind[str | dict[str, msgspec.Raw]]] = Kind(
    msgspec.json.Decoder(str | dict[str, msgspec.Raw]), "a valid string or an object"
)
MODES: Final[Mapping[str, Literal["auto", "none", "required"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}


def tools_of(body: Place, names: dict[str, str]) -> Iterator[Tool]:
    """The functions; tools that OpenAI runs itself, or describes, are lost."""
    count = 0
    for tool in body.each("tools"):
        if tool.kind() != "function":
            tool.lose_whole()
            continue
        names[f"tools[{count}]"] = tool.path
        count += 1
        yield tool_of(tool)


def tool_of(tool: Place) -> Tool:
    tool.forget("type")
    tool.ignore("defer_loading", False)
    tool.ignore("async", False)
    tool.ignore("allowed_callers", ["direct"])
    found = Tool(
        name=tool.need("name", TEXT),
        description=tool.text("description"),
        parameters=tool.object_or_none("parameters"),
        strict=tool.take("strict", FLAG),
        cache=tool.marker(),
    )
    tool.close()
    return found


def tool_choice_of(body: Place) -> ToolChoice | None:
    parallel = body.take("parallel_tool_calls", FLAG)
    given = body.take("tool_choice", CHOICE)
    if given is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    if isinstance(given, str):
        if given not in MODES:
            raise wrong_value("tool_choice", *MODES)
        return ToolChoice(mode=MODES[given], parallel=parallel)
    chosen = body.within(given, "tool_choice")
    if chosen.kind() != "function":
        chosen.lose_whole()
        return None if parallel is None else ToolChoice(parallel=parallel)
    chosen.forget("type")
    name = chosen.need("name", TEXT)
    chosen.close()
    return ToolChoice(mode="tool", name=name, parallel=parallel)
