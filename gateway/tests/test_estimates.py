"""The estimate of a prompt: no text can make it large, none but an attachment makes it small."""

import msgspec
import pytest

from gateway.estimates import estimated_input_tokens
from providers.wire.openai.request import parse_chat_request


def estimated(content, **more) -> tuple[int, int]:
    """(the estimate, a quarter of the body)."""
    body = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": content, **more}]})
    return estimated_input_tokens(parse_chat_request(body)), len(body) // 4


@pytest.mark.parametrize(
    "content",
    [
        "lorem ipsum " * 90_000,
        ";base64, " + "lorem ipsum " * 90_000,
        [{"type": "text", "text": ";base64,"}] * 10_000,
        (";base64," + "A" * 255 + " ") * 1_000,
        "input_audio data file_data " * 1_000,
        'a \\"data\\":\\"' + "lorem ipsum " * 10_000,
    ],
)
def test_text_counts_a_token_for_four_bytes_whatever_it_says(content):
    tokens, quarter = estimated(content)
    assert tokens == quarter + 1


@pytest.mark.parametrize("size", [300, 3_000, 400_000])
def test_an_attachment_counts_no_more_than_its_length_and_no_more_than_a_flat_number(size):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A/+-_=" * (size // 6)}}
    sound = {"type": "input_audio", "input_audio": {"data": "B" * size, "format": "wav"}}
    text = {"type": "text", "text": "x" * 8_000}
    bare, _ = estimated([text])
    tokens, quarter = estimated([image, sound, text])
    assert tokens <= quarter + 1
    assert abs(tokens - bare - 2 * min(size // 4, 1_000)) < 100


def test_base64_may_be_escaped_and_spaced_as_other_libraries_do():
    image = b'{"role":"user","content":[{"image_url":{"url":"data:image/png;base64,' + b"AAAA\\/" * 5_000 + b'"}}]}'
    sound = b'{"role":"user","content":[{"input_audio":{"data" : "' + b"AAAA" * 5_000 + b'"}}]}'
    body = b'{"model":"m","messages":[' + image + b"," + sound + b"]}"
    assert estimated_input_tokens(parse_chat_request(body)) < 2_100
