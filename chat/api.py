"""POST and GET /v1/feedback."""

import math
from typing import Any, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.decisions.api import caller_and_key
from billing.decisions.query import identifier, moment, parse_request_id
from chat.feedback import LONGEST_COMMENT, LONGEST_TAG, MOST_TAGS, Opinion, give_feedback, list_feedback
from common.errors import NotFound
from providers.api.answers import PageSchema, page
from providers.api.bodies import Body, given
from providers.api.listing import DEFAULT_LIMIT, MOST, flag, parameters, text
from tenants.api_authentication import caller_with
from tenants.scopes import Scope
from tenants.states import check_writable

THUMBS: Final = {"up": 1, "down": -1}
RATINGS: Final = {**THUMBS, "1": 1, "0": 0, "-1": -1}
WORDS: Final = "Use -1, 0 or 1, or up or down."


@extend_schema_field({"oneOf": [{"type": "integer", "enum": [-1, 0, 1]}, {"type": "string", "enum": [*THUMBS]}]})
class RatingField(serializers.Field[int, Any, int, Any]):
    def to_internal_value(self, given: Any) -> int:
        if isinstance(given, str) and given in THUMBS:
            return THUMBS[given]
        if type(given) is int and given in RATINGS.values():
            return given
        raise serializers.ValidationError(WORDS)

    def to_representation(self, value: int) -> int:
        return value


class FeedbackBody(Body):
    request_id = serializers.CharField(max_length=64, help_text="The `x-request-id` of the answer.")
    rating = RatingField(default=0, help_text="-1, 0 or 1; `down` and `up` are -1 and 1.")
    score = serializers.FloatField(allow_null=True, default=None, min_value=0, max_value=1)
    regenerated = serializers.BooleanField(default=False, help_text="The answer was asked for again.")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TAG), default=list, max_length=MOST_TAGS
    )
    comment = serializers.CharField(max_length=LONGEST_COMMENT, allow_blank=True, default="")

    def validate_score(self, score: float | None) -> float | None:
        if score is not None and not math.isfinite(score):
            raise serializers.ValidationError("Use a number from 0 to 1.")
        return score


class FeedbackSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["feedback"])
    id = serializers.UUIDField()
    request_id = serializers.UUIDField()
    user_id = serializers.UUIDField(allow_null=True, help_text="Whose key it was; null for a key of nobody's.")
    api_key_id = serializers.UUIDField(allow_null=True)
    rating = serializers.IntegerField(min_value=-1, max_value=1)
    score = serializers.FloatField(allow_null=True)
    regenerated = serializers.BooleanField()
    tags = serializers.ListField(child=serializers.CharField())
    comment = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


# The field's name in every list.
FeedbackPageSchema = type("FeedbackPageSchema", (PageSchema,), {"data": FeedbackSchema(many=True)})


class FeedbackView(APIView):
    """What people say of answers."""

    @extend_schema(
        operation_id="giveFeedback",
        summary="Say how an answer was",
        description=(
            "Of one person, or of one key that belongs to nobody, each request has one feedback: sending it again "
            "replaces it (200 instead of 201). 404 for a request that is not your tenant's. Routes with the strategy "
            "`auto` learn from it. Scope `completions:write`."
        ),
        request=FeedbackBody,
        responses={200: FeedbackSchema, 201: FeedbackSchema},
        examples=[
            OpenApiExample(
                "Thumbs down",
                value={"request_id": "0198c0de-0000-7000-8000-000000000000", "rating": "down", "tags": ["wrong"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        caller = caller_with(request, Scope.COMPLETIONS_WRITE)
        check_writable(caller.state)
        said = given(FeedbackBody, request)
        request_id = parse_request_id(said.pop("request_id"))
        if request_id is None:
            raise NotFound("There is no such request.", param="request_id")
        kept, is_first = give_feedback(
            tenant=caller.tenant, request_id=request_id, user_id=caller.user_id, api_key_id=caller.key_id, **said
        )
        return Response(shown(kept), status=201 if is_first else 200)

    @extend_schema(
        operation_id="listFeedback",
        summary="List feedback",
        description=(
            "The newest first. With the scope `usage:read` the whole tenant's, with `completions:write` alone your own."
        ),
        parameters=[
            OpenApiParameter("limit", int, description=f"Most entries, 1 to {MOST}; {DEFAULT_LIMIT} without it."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="The id of the last entry seen."),
            OpenApiParameter("request_id", OpenApiTypes.UUID),
            OpenApiParameter("rating", str, enum=[*RATINGS]),
            OpenApiParameter("regenerated", bool),
            OpenApiParameter("tag", str),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="First said at this time or later."),
        ],
        responses={200: FeedbackPageSchema},
    )
    def get(self, request: Request) -> Response:
        caller, made_with = caller_and_key(request)
        readers = {
            "after": identifier,
            "request_id": identifier,
            "rating": rating,
            "regenerated": flag,
            "tag": text,
            "since": moment,
        }
        query = parameters(request.query_params.dict(), readers)
        after: UUID | None = query.pop("after") or None
        author = None if made_with is None else caller.user_id or made_with
        found, has_more = list_feedback(tenant=caller.tenant, after=after, author=author, **query)
        return Response(page([shown(each) for each in found], has_more=has_more))


def rating(value: str) -> int:
    if value not in RATINGS:
        raise ValueError(WORDS)
    return RATINGS[value]


def shown(opinion: Opinion) -> dict[str, Any]:
    names = FeedbackSchema().fields.keys() - {"object"}
    return {"object": "feedback", **{name: getattr(opinion, name) for name in names}}
