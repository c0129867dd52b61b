"""Tokens as Google counts them: thoughts beside the candidates' tokens, the cached ones within the prompt's.

(ai.google.dev/api/generate-content#UsageMetadata)
"""

from providers.wire.gemini.shapes import ModalityCount, UsageMetadata
from providers.wire.shapes import Usage
from providers.wire.tokens import count


def usage_of(reported: UsageMetadata | None) -> Usage | None:
    """None where nothing is counted yet, as in the first events of Vertex AI.

    Parts are kept within their totals, so that a mistaken report cannot make a negative price.
    """
    if reported is None or (reported.prompt_token_count is None and reported.candidates_token_count is None):
        return None
    input_tokens = count(reported.prompt_token_count) + count(reported.tool_use_prompt_token_count)
    thoughts = count(reported.thoughts_token_count)
    output_tokens = count(reported.candidates_token_count) + thoughts
    cached = min(count(reported.cached_content_token_count), input_tokens)
    # Cached audio is priced as what is cached, so that it is no audio here.
    heard = audio(reported.prompt_tokens_details) - audio(reported.cache_tokens_details)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached,
        reasoning_tokens=thoughts,
        input_audio_tokens=min(max(heard, 0), input_tokens - cached),
        output_audio_tokens=min(audio(reported.candidates_tokens_details), output_tokens),
    )


def audio(counts: list[ModalityCount] | None) -> int:
    return sum(count(each.token_count) for each in counts if each.modality == "AUDIO") if counts else 0
