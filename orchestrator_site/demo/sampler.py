"""A value that satisfies a JSON schema, the same one every time.

Knows what OpenAI's structured outputs know: objects, arrays, strings, numbers, booleans, null, enum, const, anyOf,
oneOf, allOf, $ref (recursive too), and the bounds on each (platform.openai.com/docs/guides/structured-outputs).
"""

import math
from collections.abc import Callable
from typing import Any

from orchestrator_site.demo.pattern import matching

Schema = dict[str, Any]

# From here down only what must be there is made, so that a schema that contains itself comes to an end.
SHALLOW = 4
DEEPEST = 60

FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "P1D",
    "email": "demo@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/demo",
    "uuid": "0190b5a0-0000-7000-8000-000000000000",
}


class UnsupportedSchema(ValueError):
    """The schema asks for something this sampler cannot make; the message says what."""


def sample(schema: Schema | bool) -> Any:
    """Raises UnsupportedSchema."""
    if isinstance(schema, bool):
        return {}
    try:
        return Sampler(schema).value(schema, "answer", 0)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnsupportedSchema(str(error) or repr(error)) from error


class Sampler:
    """Makes values below one root schema, to which its references point."""

    def __init__(self, root: Schema) -> None:
        self.root = root

    def value(self, schema: Schema, name: str, depth: int) -> Any:
        """`name` is the property the value is for; it colours the strings."""
        if depth > DEEPEST:
            raise ValueError("the schema has no finite value")
        schema = self.flat(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.branch(schema, key, name, depth)
        return self.makers[kind(schema)](schema, name, depth)

    @property
    def makers(self) -> dict[str, Callable[[Schema, str, int], Any]]:
        return {
            "object": self.object,
            "array": self.array,
            "string": lambda schema, name, _: string(schema, name),
            "integer": lambda schema, _, __: int(number(schema, whole=True)),
            "number": lambda schema, _, __: number(schema, whole=False),
            "boolean": lambda *_: True,
            "null": lambda *_: None,
        }

    def flat(self, schema: Schema) -> Schema:
        """`$ref` followed and `allOf` folded in, as far as they go."""
        for _ in range(DEEPEST):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = merge(self.target(schema["$ref"]), rest)
            elif "allOf" in schema:
                parts = schema["allOf"]
                schema = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    schema = merge(schema, self.flat(part))
            else:
                return schema
        raise ValueError("the references go round in a circle")

    def target(self, reference: str) -> Schema:
        """What `#/$defs/name` points at."""
        if not reference.startswith("#"):
            raise ValueError(f"the reference {reference} is not inside the schema")
        found: Any = self.root
        for step in filter(None, reference[1:].split("/")):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return dict(found)

    def branch(self, schema: Schema, key: str, name: str, depth: int) -> Any:
        """The first alternative; deep down, one that holds nothing further if there is one."""
        rest = {k: v for k, v in schema.items() if k != key}
        choices = [self.flat(choice) for choice in schema[key]]
        if depth >= SHALLOW:
            choices.sort(key=lambda choice: ("object", "array").count(kind(choice)))
        return self.value(merge(rest, choices[0]), name, depth + 1)

    def object(self, schema: Schema, name: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        wanted = [key for key in properties if depth < SHALLOW or key in required]
        missing = [key for key in required if key not in properties]
        return {key: self.value(properties.get(key, {}), key, depth + 1) for key in wanted + missing}

    def array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        fewest = max(int(schema.get("minItems", 0)), len(first))
        length = min(max(fewest, 0 if depth >= SHALLOW else 2), int(schema.get("maxItems", max(fewest, 2))))
        items = schema.get("items", {})
        if items is False:
            length = len(first)
        values = [self.value(first[n] if n < len(first) else items, name, depth + 1) for n in range(length)]
        return distinct(values, self.flat(items), fewest) if schema.get("uniqueItems") else values


def kind(schema: Schema) -> str:
    """The type to make: the first named that is not null, else the one its keywords speak of."""
    named = schema.get("type")
    if isinstance(named, list):
        return next((str(each) for each in named if each != "null"), "null")
    if named is not None:
        return str(named)
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def merge(left: Schema, right: Schema) -> Schema:
    """Both at once: properties and requirements add up, for the rest the right one speaks last."""
    merged = {**left, **right}
    if "properties" in left and "properties" in right:
        merged["properties"] = {**left["properties"], **right["properties"]}
    if "required" in left and "required" in right:
        merged["required"] = list(dict.fromkeys([*left["required"], *right["required"]]))
    return merged


def string(schema: Schema, name: str) -> str:
    if "pattern" in schema:
        return matching(schema["pattern"])
    text = FORMATS.get(schema.get("format", ""), f"demo {name}")
    text = text.ljust(int(schema.get("minLength", 0)), ".")
    return text[: int(schema.get("maxLength", len(text)))]


def number(schema: Schema, *, whole: bool) -> float | int:
    """The first of a few likely numbers that the bounds allow."""
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    step = schema.get("multipleOf", 1 if whole else None)
    likely = [each for each in (1, 0, low, low + 1, high, high - 1, (low + high) / 2) if math.isfinite(each)]
    if step is not None:
        likely = [turn(each / step) * step for each in likely for turn in (math.ceil, math.floor)]
    for each in likely:
        if allows(schema, each):
            return int(each) if whole else each
    raise ValueError("no number lies within the bounds")


def allows(schema: Schema, value: float) -> bool:
    at_least, at_most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    return bool(at_least <= value <= at_most and above < value < below)


def distinct(values: list[Any], items: Schema, fewest: int) -> list[Any]:
    """The values made to differ where their kind allows it; fewer of them where not."""
    if "enum" in items:
        return list(items["enum"][: max(fewest, 1)])
    if kind(items) == "string" and not {"pattern", "format", "const"} & items.keys():
        return [f"{value[: max(len(value) - 2, 0)]}{place:02}" for place, value in enumerate(values)]
    if kind(items) in ("integer", "number"):
        step = items.get("multipleOf", 1)
        return [value + place * step for place, value in enumerate(values)]
    return values[:1] if fewest <= 1 else values
