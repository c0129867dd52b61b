"""Finding models by a few words. Pure, and the same order for the same words."""

from collections.abc import Iterable

from providers.catalogue import ModelCard


def search(cards: Iterable[ModelCard], wanted: str) -> list[ModelCard]:
    """The cards that hold every word of `wanted` in name, display name or provider: the closest first, then by id."""
    phrase = " ".join(wanted.lower().split())
    ranked = ((rank(card, phrase), card.id, card) for card in cards)
    found = sorted((closeness, name, card) for closeness, name, card in ranked if closeness is not None)
    return [card for _, _, card in found]


def rank(card: ModelCard, phrase: str) -> int | None:
    """0: it is called so. 1: its name begins so. 2: the phrase is in a name. 3: the words are. None: they are not."""
    name, shown = card.id.lower(), card.display_name.lower()
    names = (name, name.partition("/")[2], shown)
    if phrase in names:
        return 0
    if any(each.startswith(phrase) for each in names):
        return 1
    if any(phrase in each for each in names):
        return 2
    text = f"{name} {shown} {card.provider.lower()}"
    return 3 if all(word in text for word in phrase.split()) else None
