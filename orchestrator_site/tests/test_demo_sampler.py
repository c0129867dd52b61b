"""The demo provider's values against an independent validator of JSON schemas."""

import jsonschema  # type: ignore[import-untyped]
import pytest

from orchestrator_site.demo.sampler import UnsupportedSchema, sample

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "children", "next"],
            "additionalProperties": False,
        }
    },
}

SCHEMAS = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
    TREE,
    {"type": "object", "required": ["undeclared"]},
    {"type": "array", "items": {"enum": ["red", "green"]}, "minItems": 3},
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 6, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "maxItems": 1},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False, "minItems": 2},
    {"type": "string", "minLength": 30},
    {"type": "string", "maxLength": 3},
    {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}$"},
    {"type": "string", "pattern": "^(ab|cd)+[^a-z]?x*$"},
    {"type": "string", "pattern": r"^\+?[1-9]\d{1,14}$"},
    {"type": "integer", "minimum": 18, "maximum": 18},
    {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
    {"type": "integer", "minimum": -9, "maximum": -3},
    {"type": "integer", "multipleOf": 7, "minimum": 50},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    {"type": "number", "multipleOf": 0.25, "minimum": 1.1},
    {"type": "number", "maximum": -0.5},
    {"type": ["string", "null"]},
    {"type": ["null"]},
    {"type": "boolean"},
    {"const": {"a": [1]}},
    {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    {"anyOf": [{"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}, {"type": "null"}]},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    {"definitions": {"x~/y": {"type": "integer"}}, "properties": {"v": {"$ref": "#/definitions/x~0~1y"}}},
    *({"type": "string", "format": name} for name in ("date", "date-time", "email", "ipv4", "ipv6", "uuid", "time")),
    {},
    True,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_a_value_satisfies_its_schema(schema):
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    checker.validate(sample(schema))
    assert sample(schema) == sample(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/missing"},
        {"$ref": "https://example.com/schema.json"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {
            "type": "object",
            "properties": {"self": {"$ref": "#"}},
            "required": ["self"],
        },
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "string", "pattern": "("},
        {"type": "nonsense"},
        {"properties": ["a"]},
    ],
    ids=str,
)
def test_what_cannot_be_made_is_said(schema):
    with pytest.raises(UnsupportedSchema):
        sample(schema)
