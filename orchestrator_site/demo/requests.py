"""Reading a chat completion request, and refusing it as OpenAI does."""

import json
from typing import Any

from orchestrator_site.demo.answers import MODELS


class Refused(Exception):
    """An error answer: HTTP status, OpenAI's `code`, the parameter at fault."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def read(raw: bytes) -> dict[str, Any]:
    """The request's body, checked as far as the answers rely on it. Raises Refused."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refused(400, f"We could not parse the JSON body of your request: {error}.") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object.")
    check_model(body.get("model"))
    check_messages(body.get("messages"))
    for name in ("n", "max_tokens", "max_completion_tokens"):
        check_positive(body, name)
    check_tools(body)
    check_format(body.get("response_format"))
    return body


def check_model(name: object) -> None:
    if not isinstance(name, str):
        raise Refused(400, "You must provide a model parameter.", param="model")
    if name not in MODELS:
        raise Refused(
            404,
            f"The model `{name}` does not exist; there are {', '.join(MODELS)}.",
            code="model_not_found",
            param="model",
        )


def check_messages(messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "`messages` must be a list with at least one message.", param="messages")
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise Refused(400, "A message must be an object with a role.", param=f"messages[{place}]")


def check_positive(body: dict[str, Any], name: str) -> None:
    value = body.get(name)
    if value is not None and (type(value) is not int or value < 1):
        raise Refused(400, f"`{name}` must be a whole number from 1 up.", code="invalid_value", param=name)


def check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    try:
        names = [tool["function"]["name"] for tool in tools if tool["type"] == "function"]
    except (TypeError, KeyError):
        raise Refused(400, "A tool must have a type and a function with a name.", param="tools") from None
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("function", {}).get("name") not in names:
        raise Refused(400, "`tool_choice` names a function that is not in `tools`.", param="tool_choice")
    if choice is not None and not names:
        raise Refused(400, "`tool_choice` is only allowed when `tools` are specified.", param="tool_choice")


def check_format(wanted: object) -> None:
    if wanted is None:
        return
    if not isinstance(wanted, dict) or wanted.get("type") not in ("text", "json_object", "json_schema"):
        raise Refused(400, "`response_format.type` must be text, json_object or json_schema.", param="response_format")
    if wanted["type"] == "json_schema" and not isinstance(wanted.get("json_schema"), dict):
        raise Refused(400, "`response_format.json_schema` is missing.", param="response_format.json_schema")
