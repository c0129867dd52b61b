"""What callers of POST /v1/responses send, as a prompt."""

import pytest

from common.errors import InvalidRequest
from providers.tests.responses_speech import PROBE, SPEECH, encoded, lost, parsed, prompted
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Losses,
    Message,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "4"}
HELLO = {"type": "input_text", "text": "Hi"}
HI = Message(role="user", parts=(Text(text="Hi"),))


def user(*content):
    return [{"type": "message", "role": "user", "content": list(content)}]


def only_parts(**changed):
    (message,) = prompted(**changed).messages
    return message.parts


def test_what_routing_and_limits_need_is_read_at_once():
    request = parsed(
        stream=True, max_output_tokens=7, metadata={"a": "b"}, stream_options={"include_obfuscation": False}
    )
    assert (request.model, request.stream, request.max_output_tokens, request.choices) == ("gpt", True, 7, 1)
    assert (request.dialect, request.include_usage) == ("responses", True)
    assert request.stream_options.keys() == {"include_obfuscation"}
    body = encoded()
    assert SPEECH.parse_request(body).input_bytes == len(body)
    assert parsed(stream=False, max_output_tokens=None).max_output_tokens is None


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"model": None}, "model"),
        ({"model": " "}, "model"),
        ({"model": 3}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": {}}, "input"),
        ({"input": [PROBE[0], "Hi"]}, "input[1]"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": "9"}, "max_output_tokens"),
        ({"instructions": 1}, "instructions"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"store": "no"}, "store"),
        ({"previous_response_id": 1}, "previous_response_id"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_at_once(changed, param):
    with pytest.raises(InvalidRequest) as caught:
        parsed(**changed)
    assert caught.value.param == param
    assert param in caught.value.message


def test_after_an_earlier_response_there_may_be_nothing_new():
    assert parsed(input=None, previous_response_id="resp_1").model == "gpt"
    assert parsed(input=[], previous_response_id="resp_1").model == "gpt"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"model": "m", "input": ' + b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidRequest) as caught:
        SPEECH.parse_request(body)
    assert caught.value.code == "invalid_json"


def test_a_text_is_a_users_message_after_the_instructions():
    prompt = prompted(instructions="Be brief.")
    assert prompt.messages == (Message(role="system", parts=(Text(text="Be brief."),)), HI)
    assert (prompt.names["messages[0]"], prompt.names["messages[1]"]) == ("instructions", "input")
    assert prompted(instructions="").messages == (HI,)


@pytest.mark.parametrize(
    ("role", "known"), [("user", "user"), ("assistant", "assistant"), ("system", "system"), ("developer", "system")]
)
@pytest.mark.parametrize("typed", [{}, {"type": "message", "id": "msg_1", "status": "completed", "phase": None}])
def test_messages_have_their_roles(role, known, typed):
    prompt = prompted(input=[{**typed, "role": role, "content": "Hi"}])
    assert prompt.messages == (Message(role=known, parts=(Text(text="Hi"),)),)
    assert prompt.others == {}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"type": "input_text", "text": "Hi"}, Text(text="Hi")),
        (
            {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
            Text(text="Hi", cache="1h"),
        ),
        ({"type": "input_text", "text": "Hi", "cache_control": {"type": "ephemeral"}}, Text(text="Hi", cache="5m")),
        (
            {"type": "input_image", "image_url": "https://e.x/a.png", "detail": "low"},
            Image(url="https://e.x/a.png", detail="low"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "file_id": None},
            Image(encoded="AAAA", media_type="image/png"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
            Document(encoded="AAAA", title="a.pdf"),
        ),
        ({"type": "input_file", "file_data": "AAAA"}, Document(encoded="AAAA")),
        ({"type": "input_file", "file_url": "https://e.x/a.pdf"}, Document(url="https://e.x/a.pdf")),
        ({"type": "input_file", "file_id": "file-1"}, Document(file_id="file-1")),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            Audio(encoded="AAAA", format="wav"),
        ),
    ],
)
def test_content_is_read_part_by_part(given, meant):
    assert only_parts(input=user(given)) == (meant,)
    assert lost(prompted(input=user(given))) == {}


def test_what_a_model_said_can_be_sent_back_as_it_was_told():
    said = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "Sorry.", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "No."},
        ],
    }
    prompt = prompted(input=[said])
    assert prompt.messages == (Message(role="assistant", parts=(Text(text="Sorry."), Refusal(text="No."))),)
    assert prompt.others == {}


def test_the_items_of_one_turn_are_one_message_and_so_are_the_results_of_its_calls():
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm"}],
        "content": None,
        "encrypted_content": "proof",
        "status": None,
    }
    second = {**CALL, "call_id": "c2", "id": "fc_2", "status": "completed"}
    answered = {**RESULT, "call_id": "c2", "output": [{"type": "input_text", "text": "5"}]}
    prompt = prompted(input=[*PROBE, reasoning, CALL, second, RESULT, answered, *PROBE])
    assert prompt.messages == (
        HI,
        Message(
            role="assistant",
            parts=(
                Thinking(text="Hm", signature="proof"),
                ToolCall(id="c1", name="f", arguments='{"a": 1}'),
                ToolCall(id="c2", name="f", arguments='{"a": 1}'),
            ),
        ),
        Message(
            role="tool",
            parts=(
                ToolResult(call_id="c1", parts=(Text(text="4"),)),
                ToolResult(call_id="c2", parts=(Text(text="5"),)),
            ),
        ),
        HI,
    )
    paths = [prompt.names[f"messages[{index}]"] for index in range(4)]
    assert paths == ["input[0]", "input[1]", "input[4]", "input[6]"]
    assert prompt.others == {}


@pytest.mark.parametrize(
    ("item", "meant"),
    [
        ({"summary": [{"type": "summary_text", "text": t} for t in "ab"]}, (Thinking(text="a\n\nb"),)),
        (
            {"summary": [{"text": "short"}], "content": [{"type": "reasoning_text", "text": "long"}]},
            (Thinking(text="long"),),
        ),
        ({"summary": [], "encrypted_content": "proof"}, (Thinking(text="", signature="proof"),)),
        ({"summary": [], "encrypted_content": "redacted_thinking:xyz"}, (RedactedThinking(encoded="xyz"),)),
        ({"summary": []}, ()),
    ],
)
def test_thoughts_come_back(item, meant):
    prompt = prompted(input=[*PROBE, {"type": "reasoning", **item}])
    assert tuple(part for message in prompt.messages[1:] for part in message.parts) == meant


def test_a_calls_proof_travels_as_a_thought_before_it():
    proof = {"type": "reasoning", "summary": [], "encrypted_content": "tool_call:proof"}
    assert only_parts(input=[proof, CALL]) == (ToolCall(id="c1", name="f", arguments='{"a": 1}', signature="proof"),)


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([*PROBE, {"type": "item_reference", "id": "msg_1"}], "input[1]"),
        ([*PROBE, {"id": "msg_1"}], "input[1]"),
        ([*PROBE, {"type": "web_search_call", "id": "ws_1", "status": "completed"}], "input[1]"),
        ([*PROBE, {"type": "compaction", "encrypted_content": "x"}], "input[1]"),
        (user(HELLO, {"type": "input_image", "file_id": "f"}), "input[0].content[1].file_id"),
        (
            [{"role": "system", "content": [{"type": "input_image", "image_url": "https://e.x/a.png"}]}, *PROBE],
            "input[0].content[0]",
        ),
        ([*PROBE, {**CALL, "namespace": "n"}, RESULT], "input[1].namespace"),
    ],
)  # fmt: skip
def test_what_only_the_vendor_has_is_lost_by_its_path(items, path):
    prompt = prompted(input=items)
    assert lost(prompt).keys() == {path}
    with pytest.raises(InvalidRequest) as caught:
        Losses(prompt, "claude", drop=False).lose(path)
    assert caught.value.param == path


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([{"content": "Hi"}], "input[0].role"),
        ([{"role": "robot", "content": "Hi"}], "input[0].role"),
        ([{"role": "user"}], "input[0].content"),
        ([{"role": "user", "content": 1}], "input[0].content"),
        ([*PROBE, {"type": 1}], "input[1].type"),
        (user({"text": "Hi"}), "input[0].content[0].type"),
        (user({"type": "picture"}), "input[0].content[0].type"),
        (user("Hi"), "input[0].content[0]"),
        (user({"type": "input_text"}), "input[0].content[0].text"),
        (user({"type": "input_image"}), "input[0].content[0].image_url"),
        (user({"type": "input_file", "filename": "a.pdf"}), "input[0].content[0].file_data"),
        (user({"type": "input_audio", "input_audio": {"format": "wav"}}), "input[0].content[0].input_audio.data"),
        ([*PROBE, {"type": "function_call", "call_id": "c1", "name": "f"}], "input[1].arguments"),
        ([*PROBE, {**CALL, "call_id": ""}], "input[1].call_id"),
        ([*PROBE, {"type": "function_call_output", "output": "x"}], "input[1].call_id"),
        ([*PROBE, {**RESULT, "output": [{"type": "input_text", "text": 1}]}], "input[1].output[0].text"),
        ([{"type": "reasoning", "summary": [{"text": 1}]}], "input[0].summary[0].text"),
        ([{"role": "user", "content": ""}], "input"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(items, param):
    with pytest.raises(InvalidRequest) as caught:
        prompted(input=items)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "input[0]"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].file_id"),
    ],
)
def test_an_input_of_nothing_but_what_the_vendor_has_is_refused_by_its_path(item, path):
    with pytest.raises(InvalidRequest) as caught:
        prompted(instructions="Be brief.", input=[item])
    assert caught.value.param == path
    assert path in caught.value.message
