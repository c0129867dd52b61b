"""How the OpenAPI document describes requests and their records."""

from typing import Any, get_args

from rest_framework import serializers

from billing.decisions.document import State
from billing.decisions.query import OUTCOMES
from billing.decisions.records import CacheOutcome, Role, Verdict, Why
from providers.api.answers import PageSchema


class MoneySchema(serializers.Serializer[Any]):
    cost_nano_usd = serializers.IntegerField(help_text="What the providers take, in 10⁻⁹ USD.")
    cost_usd = serializers.CharField(help_text="The same in USD, nine places.")
    charge_nano_usd = serializers.IntegerField(help_text="What you pay, in 10⁻⁹ USD.")
    charge_usd = serializers.CharField(help_text="The same in USD, nine places.")


class RequestEntrySchema(MoneySchema):
    object = serializers.ChoiceField(choices=["request"])
    id = serializers.UUIDField(help_text="The `x-request-id` of the answer.")
    created_at = serializers.DateTimeField()
    model = serializers.CharField(help_text="As the caller named it.")
    stream = serializers.BooleanField()
    api_key_id = serializers.UUIDField(allow_null=True)
    user_id = serializers.UUIDField(allow_null=True)
    route = serializers.CharField(allow_null=True, help_text="Null where a model was named.")
    strategy = serializers.CharField(allow_null=True)
    dialect = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    error_code = serializers.CharField(allow_null=True)
    answered_by = serializers.CharField(allow_null=True, help_text="`provider/model`.")
    duration_ms = serializers.IntegerField()
    cache = serializers.ChoiceField(choices=get_args(CacheOutcome))
    attempts = serializers.IntegerField(help_text="How often a provider was asked.")


# "data" is the name of a list's entries in the OpenAI API.
RequestsSchema = type("RequestsSchema", (PageSchema,), {"data": RequestEntrySchema(many=True)})


class ConsideredSchema(serializers.Serializer[Any]):
    target = serializers.CharField(help_text="`provider/model`.")
    credential = serializers.CharField(allow_null=True, help_text="The label of the key used at the provider.")
    role = serializers.ChoiceField(choices=get_args(Role))
    verdict = serializers.ChoiceField(
        choices=get_args(Verdict), help_text="`chosen` is whose answer the caller got; `not_needed` was never reached."
    )
    reason = serializers.CharField()
    score = serializers.FloatField(allow_null=True, help_text="What it means is the strategy's.")


class TokensSchema(serializers.Serializer[Any]):
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()


class AttemptSchema(MoneySchema):
    attempt = serializers.IntegerField()
    target = serializers.CharField(help_text="`provider/model`.")
    credential = serializers.CharField(allow_null=True)
    why = serializers.ChoiceField(choices=get_args(Why), allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="Null while it runs.")
    error_code = serializers.CharField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="The provider's HTTP status.")
    start_ms = serializers.IntegerField(help_text="Since the request began, like the next two.")
    first_chunk_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    settled = serializers.BooleanField(help_text="Whether its usage and cost are in the ledger.")
    finish_reason = serializers.CharField(allow_null=True)
    usage = TokensSchema(allow_null=True)
    usage_source = serializers.CharField(
        allow_null=True, help_text="`provider` said it, or it was `counted` or `estimated`."
    )
    price_version = serializers.CharField(allow_null=True, help_text="Null for a model without a known price.")


class RequestSchema(RequestEntrySchema):
    state = serializers.ChoiceField(
        choices=get_args(State),
        help_text="`running` until the record is there; `unrecorded` when it was lost with its process.",
    )
    dialect = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_null=True, help_text="Null while it runs.")
    duration_ms = serializers.IntegerField(allow_null=True)
    cache = serializers.ChoiceField(choices=get_args(CacheOutcome), allow_null=True)
    limits = serializers.DictField(allow_null=True, help_text="What budgets and rate limits said.")
    auto = serializers.DictField(allow_null=True, help_text="What the strategy `auto` made of the prompt.")
    details = serializers.DictField(allow_null=True)
    considered = ConsideredSchema(many=True)
    attempts = AttemptSchema(many=True, help_text="A waterfall: each attempt's beginning, first chunk and end.")  # type: ignore[assignment]
