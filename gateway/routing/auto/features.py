"""What is measured of a request, in words that a decision record can quote: name → value.

Only what instructs is read word by word, which is what stands before and after pasted material; of the material its
length and whether it is code. All patterns are of one character class, so they take linear time on any text.
"""

import re
from itertools import pairwise
from math import log2
from typing import Final

from gateway.routing.auto.asking import Asked
from gateway.routing.auto.lexicon import LONGEST, MATHS, PHRASES, PROOF, PUZZLE, TALK, WHY, concepts_of

MOST_INSTRUCTION: Final = 600
MOST_WORDS: Final = 160
SMALL_TALK: Final = 8
WORD: Final = re.compile(r"[^\W_]+")
PARAGRAPH: Final = "\n\n"
MATHS_SIGNS: Final = re.compile(r"[=^√∫∑≤≥≡²³ⁿπ∞×·∘→∈]")
CODE_SIGNS: Final = re.compile(r"[{}();<>]")
ENDS: Final = re.compile(r"[.!?。！？؟]")
LISTS: Final = re.compile(r"[,;、，；،]")
PASTED_CODE: Final = (
    "def ",
    "class ",
    "function ",
    "import ",
    "return ",
    "SELECT ",
    "#include",
    "func ",
    "```",
    "Traceback",
)
EFFORTS: Final = frozenset(("medium", "high", "xhigh", "max"))
STEM: Final = 7
OF_A_WORD: Final = 0.25
NO_VARIABLES: Final = frozenset("aioyestdmàèéуваикояс")

Features = dict[str, float]


def features_of(asked: Asked) -> Features:
    """Values are from 0 to 1. The work is bounded by `Asked.text`, 8,193 characters."""
    instruction, material = parted(asked.text)
    words = WORD.findall(instruction.lower())[:MOST_WORDS]
    found: Features = {}
    shape_of(asked, instruction, material, len(words), found)
    marks_of(asked, found)
    meaning_of(instruction, words, found)
    words_of(instruction, words, found)
    return found


def parted(text: str) -> tuple[str, str]:
    """Instruction and material: the first and the last paragraph instruct, what is between them is material."""
    text = text.strip()
    first, apart, rest = text.partition(PARAGRAPH)
    if not apart:
        return edges(text), ""
    if instructs(first):
        return edges(first), rest
    between, _, last = rest.rpartition(PARAGRAPH)
    if instructs(last):
        return edges(last), f"{first}\n\n{between}"
    return edges(f"{first}\n{last}"), between


def instructs(paragraph: str) -> bool:
    return len(paragraph) <= MOST_INSTRUCTION and paragraph.rstrip().endswith(("?", ":", "？", "：", "؟"))


def edges(text: str) -> str:
    half = MOST_INSTRUCTION // 2
    return text if len(text) <= MOST_INSTRUCTION else f"{text[:half]}\n{text[-half:]}"


def shape_of(asked: Asked, instruction: str, material: str, words: int, found: Features) -> None:
    size = len(instruction) if instruction.isascii() else weight_of(instruction)
    for bound, name in SIZES:
        if size >= bound:
            found[name] = 1.0
    found["length of the question"] = min(log2(size + 1) / 10, 1.0)
    sentences = len(ENDS.findall(instruction))
    parts = len(LISTS.findall(instruction))
    found["several sentences"] = min(sentences / 6, 1.0)
    found["parts in a list"] = min(parts / 8, 1.0)
    found["a list of four or more"] = float(parts >= 4)
    found["dense with parts"] = min(parts / max(words, 5) * 6, 1.0)
    found["a question"] = float(instruction.rstrip().endswith(("?", "？", "؟")))
    found["mathematical signs"] = min(len(MATHS_SIGNS.findall(instruction)) / 4, 1.0)
    found["numbers"] = min(sum(map(str.isdigit, instruction)) / 12, 1.0)
    found["signs of code"] = min(len(CODE_SIGNS.findall(instruction)) / 10, 1.0)
    if material:
        found["pasted material"] = 1.0
        found["length of the material"] = min(log2(asked.characters + 1) / 13, 1.0)
    if any(sign in asked.text for sign in PASTED_CODE):
        found["code in it"] = 1.0


SIZES: Final = (
    (25, "more than 25 characters"),
    (60, "more than 60 characters"),
    (120, "more than 120 characters"),
    (220, "more than 220 characters"),
)


def weight_of(text: str) -> int:
    """Its length as if it were English: a Chinese character says about as much as three letters."""
    return sum(3 if character >= "\u3040" else 1 for character in text)


def marks_of(asked: Asked, found: Features) -> None:
    if asked.turns > 1:
        found["an earlier turn"] = 1.0
        found["conversation depth"] = min(log2(asked.turns) / 4, 1.0)
    if asked.tools:
        found["tools"] = 1.0
        found["many tools"] = min(asked.tools / 4, 1.0)
    if asked.after_tools:
        found["amid tool calls"] = 1.0
    if asked.form:
        found[f"answer as {asked.form}"] = 1.0
    if asked.effort in EFFORTS:
        found["reasoning effort asked for"] = 1.0
    if asked.pictures:
        found["pictures or files"] = 1.0
    if asked.system_bytes:
        found["a system prompt"] = min(log2(asked.system_bytes) / 12, 1.0)
    limit = asked.max_output_tokens
    if limit is not None:
        found["a short answer asked for"] = float(limit <= 100)
        found["a long answer allowed"] = float(limit >= 4_000)


def meaning_of(instruction: str, words: list[str], found: Features) -> None:
    counts: dict[str, int] = {}
    for word in words:
        for concept in concepts_of(word[:LONGEST]):
            counts[concept] = counts.get(concept, 0) + 1
    if not instruction.isascii():
        for concept, phrases in PHRASES.items():
            hits = sum(phrase in instruction for phrase in phrases)
            if hits:
                counts[concept] = counts.get(concept, 0) + hits
    if len(words) > SMALL_TALK:
        counts.pop(TALK, None)
    exact_of(counts, instruction, words, found)
    for concept, count in counts.items():
        found[concept] = 1.0
        found[f"many {concept}"] = min(count / 5, 1.0)
        found[f"mostly {concept}"] = min(count / max(len(words), 4) * 4, 1.0)


def exact_of(counts: dict[str, int], instruction: str, words: list[str], found: Features) -> None:
    """Signs that the answer is right or wrong, and has to be worked out."""
    signs = len(MATHS_SIGNS.findall(instruction))
    variables = sum(len(word) == 1 and word.isalpha() and word not in NO_VARIABLES for word in words)
    exact = counts.get(MATHS, 0) + counts.get(PUZZLE, 0) + min(signs, 3) + min(variables, 3)
    found["letters that stand for something"] = min(variables / 3, 1.0)
    found["exact matters"] = min(exact / 4, 1.0)
    found["several exact matters"] = float(exact >= 3)
    found["exact matters to be shown"] = float(exact > 0 and (PROOF in counts or WHY in counts))


def words_of(instruction: str, words: list[str], found: Features) -> None:
    """Every word by its beginning, the first words as they stand, and pairs of letters where words aren't parted."""
    if not words:
        return
    found[f"begins with “{words[0][:STEM]}”"] = 1.0
    if len(words) > 1:
        found[f"begins with “{words[0][:STEM]} {words[1][:STEM]}”"] = 1.0
    stems = [word[:STEM] for word in words]
    for stem in stems:
        found[f"“{stem}”"] = OF_A_WORD
    for one, other in pairwise(stems):
        found[f"“{one} {other}”"] = OF_A_WORD
