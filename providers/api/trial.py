"""POST /v1/providers/{name}/test."""

import asyncio
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from providers.actions.by_name import provider_named
from providers.api.access import writer
from providers.api.bodies import TrialBody, given
from providers.scope import owner_scope
from providers.trial import MOST_TOKENS, Step, Trial, candidate, tried


class StepSchema(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    latency_ms = serializers.FloatField()
    error = serializers.CharField(allow_null=True, help_text="A code, such as `upstream_timeout`.")
    message = serializers.CharField(allow_null=True, help_text="For people; never a secret.")


class ListingSchema(StepSchema):
    models = serializers.IntegerField(allow_null=True, help_text="How many it lists.")


class StreamSchema(StepSchema):
    time_to_first_chunk_ms = serializers.FloatField(allow_null=True)


class TrialSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["provider.test"])
    provider = serializers.CharField()
    model = serializers.CharField(allow_null=True, help_text="Whom was asked; null for a provider that offers none.")
    ok = serializers.BooleanField(help_text="It answers, whole and as a stream; and its list, if it has one, is one.")
    listing = ListingSchema()
    completion = StepSchema(allow_null=True)
    stream = StreamSchema(allow_null=True)


class TrialView(APIView):
    @extend_schema(
        operation_id="testProvider",
        summary="Try a provider out",
        description=(
            f"Asks it for its models, for an answer of at most {MOST_TOKENS} tokens, and for the same as a stream, all "
            "within 25 seconds. A provider that is switched off can be tried as well. Nothing of it is in the ledger; "
            "the vendor may charge for it. What went wrong is in the answer, which is 200. Scope `providers:write`."
        ),
        request=TrialBody,
        responses={200: TrialSchema},
    )
    def post(self, request: Request, name: str) -> Response:
        caller = writer(request)
        with owner_scope(caller.tenant):
            row = provider_named(name)
            chosen = candidate(row, caller.tenant, given(TrialBody, request).get("model", ""))
        return Response(shown(name, asyncio.run(tried(chosen))))


def shown(name: str, trial: Trial) -> dict[str, Any]:
    return {
        "object": "provider.test",
        "provider": name,
        "model": trial.model or None,
        "ok": trial.ok,
        "listing": {**shown_step(trial.listing), "models": trial.listing.models},
        "completion": trial.completion and shown_step(trial.completion),
        "stream": trial.stream and {**shown_step(trial.stream), "time_to_first_chunk_ms": trial.stream.first_chunk_ms},
    }


def shown_step(found: Step) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "latency_ms": found.latency_ms,
        "error": found.error or None,
        "message": found.message or None,
    }
