"""What callers send of a route, and what they get to see of it."""

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from providers.api.answers import PageSchema
from providers.api.bodies import Body
from providers.documents import route_document
from providers.models import Route
from providers.models.route import Strategy
from providers.route_documents import MOST_TARGETS
from providers.route_policy import RoutePolicy, TargetRule


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a struct, whole: with what it refers to written out in its place."""
    document = msgspec.json.schema(kind)
    parts = document.pop("$defs")

    def written_out(node: Any) -> Any:
        if isinstance(node, list):
            return [written_out(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return written_out(parts[node["$ref"].rpartition("/")[2]])
        return {name: written_out(each) for name, each in node.items()}

    whole: dict[str, Any] = written_out(document)
    return whole


@extend_schema_field({"anyOf": [{"type": "string"}, schema_of(TargetRule)]})
class TargetField(serializers.JSONField):
    """Just "provider/model", or an object with more. What it may hold is for `route_documents` to say."""


@extend_schema_field(schema_of(RoutePolicy))
class PolicyField(serializers.JSONField):
    """What it may hold is for `route_documents` to say."""


class RouteBody(Body):
    """A name that callers ask for as a model, and the targets that answer."""

    strategy = serializers.ChoiceField(
        choices=Strategy.choices, default=Strategy.PRIORITY, help_text="Which target is tried first."
    )
    targets = serializers.ListField(
        child=TargetField(),
        max_length=MOST_TARGETS,
        help_text='"provider/model", or objects with `target` and more; the first preferred. `provider/*` is the '
        "caller's own name of a model at that provider. They need not be offered yet.",
    )
    policy = PolicyField(default=dict, help_text="How it behaves; what is left out is as usual.")
    drop_params = serializers.BooleanField(
        default=False, help_text="Leave out what a target cannot express, rather than refuse the request."
    )
    enabled = serializers.BooleanField(default=True)


class NewRouteBody(RouteBody):
    name = serializers.CharField(
        max_length=200, help_text='What callers ask for. "*" in it stands for any characters: all names that fit.'
    )


class NamedRouteBody(RouteBody):
    shown_alone = frozenset({"object", "learned", "created_at", "updated_at"})

    name = serializers.CharField(max_length=200, required=False, help_text="As in the path; it does not change.")


class RouteSchema(RouteBody):
    object = serializers.ChoiceField(choices=["route"])
    name = serializers.CharField()
    learned = serializers.DictField(
        child=serializers.FloatField(), help_text="Numbers that feedback taught, for the strategy `auto`."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


RoutesSchema = type("RoutesSchema", (PageSchema,), {"data": RouteSchema(many=True)})


def shown_route(row: Route) -> dict[str, Any]:
    return {
        "object": "route",
        **route_document(row),
        "learned": row.learned,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
