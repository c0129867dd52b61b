"""The tools of a chat completion, and the functions that they were called before."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from common.errors import InvalidRequest
from providers.wire.fields import FLAG, invalid_type, missing, read, read_within
from providers.wire.neutral import Tool, ToolChoice
from providers.wire.openai.incoming import ChosenFunction, ChosenTool, GivenFunction, GivenTool, Marked
from providers.wire.openai.prompt_messages import cache_of

TOOLS = msgspec.json.Decoder(list[GivenTool] | None)
FUNCTIONS = msgspec.json.Decoder(list[GivenFunction] | None)
CHOICE = msgspec.json.Decoder(str | ChosenTool | None)
FUNCTION_CALL = msgspec.json.Decoder(str | ChosenFunction | None)
ANYTHING = msgspec.json.Decoder(list[msgspec.Raw])
MODES: Mapping[str, Literal["auto", "none", "required"]] = {"auto": "auto", "none": "none", "required": "required"}
Strange = dict[str, msgspec.Raw]


def tools_of(fields: Mapping[str, msgspec.Raw]) -> tuple[tuple[Tool, ...], Strange]:
    """The functions, and by their paths the tools of other kinds. Raises InvalidRequest."""
    given: list[GivenTool] = read_within(fields, "tools", TOOLS) or []
    functions: list[GivenFunction] = read_within(fields, "functions", FUNCTIONS) or []
    found: list[Tool] = []
    strange: Strange = {}
    for position, tool in enumerate(given):
        place = f"tools[{position}]"
        if tool.type != "function":
            strange[place] = ANYTHING.decode(fields["tools"])[position]
        elif tool.function is None:
            raise missing(f"{place}.function")
        else:
            found.append(tool_of(tool.function, tool, f"{place}.function"))
    found += [tool_of(each, each, f"functions[{position}]") for position, each in enumerate(functions)]
    return tuple(found), strange


def tool_of(function: GivenFunction, outer: Marked, place: str) -> Tool:
    schema = bytes(function.parameters)
    if schema not in (b"", b"null") and not schema.startswith(b"{"):
        raise invalid_type(f"{place}.parameters", "a JSON schema, an object")
    return Tool(
        name=function.name,
        description=function.description or "",
        parameters=function.parameters if schema.startswith(b"{") else None,
        strict=function.strict,
        cache=cache_of(outer) or cache_of(function),
    )


def tool_choice_of(fields: Mapping[str, msgspec.Raw]) -> tuple[ToolChoice | None, Strange]:
    parallel: bool | None = read(fields, "parallel_tool_calls", FLAG, "true or false")
    given: str | ChosenTool | None = read_within(fields, "tool_choice", CHOICE)
    if given is None:
        chosen: str | ChosenFunction | None = read_within(fields, "function_call", FUNCTION_CALL)
        if isinstance(chosen, ChosenFunction):
            return ToolChoice(mode="tool", name=chosen.name, parallel=parallel), {}
        given = chosen
    name = "tool_choice" if "tool_choice" in fields else "function_call"
    if given is None:
        return (None if parallel is None else ToolChoice(parallel=parallel)), {}
    if isinstance(given, ChosenTool):
        if given.function is not None:
            return ToolChoice(mode="tool", name=given.function.name, parallel=parallel), {}
        if given.type not in MODES:
            return None, {name: fields[name]}
        given = given.type
    if given not in MODES:
        raise InvalidRequest(f"'{name}' must be one of {', '.join(MODES)}, or an object.", param=name)
    return ToolChoice(mode=MODES[given], parallel=parallel), {}
