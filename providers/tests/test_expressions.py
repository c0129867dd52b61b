"""Expressions that tenants write: read when they are saved, and evaluated within bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidRequest
from providers.quirks import quirks_of
from providers.wire.custom.expressions import EvaluationFailed, ExpressionInvalid, expression

# An older spelling of strings, which jmespath still takes.
pytestmark = pytest.mark.filterwarnings("ignore:deprecated string literal")

LISTS = {"rows": [list(range(50)) for _ in range(200)]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.", "Parse error"),
        ("foo(", "Incomplete"),
        ("shout(@)", "there is no function shout"),
        ("(" * 3_000, "nested too deeply"),
        ("[" * 3_000, "nested too deeply"),
        ("a" * 8_001, "8000 characters"),
        ("[" + "a," * 999 + "a]", "1000 parts"),
        ("&a", "& stands only within"),
        ("{a: &b}", "& stands only within"),
        ("not_null(&a)", "& stands only within"),
        ("map(& &a, @)", "& stands only within"),
    ],
)
def test_what_cannot_be_read_is_refused_when_it_is_saved(text, reason):
    with pytest.raises(ExpressionInvalid, match=reason):
        expression(text)
    for place in ("request", "response", "stream_response"):
        with pytest.raises(InvalidRequest) as refused:
            quirks_of({place: text})
        assert refused.value.param == f"quirks.{place}"


@pytest.mark.parametrize(
    "text",
    [
        "|".join(["[@,@]"] * 100),
        "|".join(["[@,@][]"] * 100),
        "|".join(["{a: @, b: @}"] * 100),
        "|".join(["join('', [to_string(@), to_string(@)])"] * 60),
        "rows[*][*].[@, @, @, @]",
        "rows[*].[@, sort(@), reverse(@)] | [*].[@, to_string(@)] | [*].[@, to_string(@)] | [*].[@, to_string(@)]",
        "|".join(["map(&[@, @], [@, @])"] * 50),
        "|".join(["rows[?contains(to_string(@), 'x')] || @"] * 40),
    ],
)
def test_an_expression_cannot_take_for_ever(text):
    with pytest.raises(EvaluationFailed, match="too l"):
        expression(text).apply(LISTS)


def test_what_is_joined_is_weighed_before_it_is_made():
    with pytest.raises(EvaluationFailed, match="too large"):
        expression("join(glue, parts)").apply({"glue": "x" * 2_000_000, "parts": [""] * 20_000})


@pytest.mark.parametrize("text", ["length(`5`)", 'sum(`["a"]`)', "abs(@)", 'sort(`[1, "a"]`)', "max_by(rows, &@)"])
def test_one_that_does_not_fit_its_value_fails_and_raises_nothing_else(text):
    with pytest.raises(EvaluationFailed):
        expression(text).apply(LISTS)


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("{a: messages[*].content, b: max_tokens}", {"messages", "max_tokens"}),
        ("@.messages | [0].role", {"messages"}),
        ("messages[?role == 'user'].content | [-1]", {"messages"}),
        ("not_null(max_completion_tokens, max_tokens)", {"max_completion_tokens", "max_tokens"}),
        ("map(&content, messages)", {"messages"}),
        ("tools && {a: tools[].function.name}", {"tools"}),
        ("'constant'", set()),
        ("merge(@, {a: b})", None),
        ("*", None),
        ("@", None),
        ("[@][0]", None),
    ],
)
def test_which_fields_an_expression_looks_at(text, used):
    assert expression(text).used == used


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet="ab.[]*?|&@(){}:,'`\"!<>=0 ", max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
        max_leaves=8,
    ),
)
def test_whatever_is_written_is_refused_or_evaluated(text, value):
    try:
        expression(text).apply(value)
    except (ExpressionInvalid, EvaluationFailed):
        return
