"""Items by a part of their name: case, accents and punctuation do not matter."""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from vectable.data.vocabularies import Vocabularies
from vectable.errors import closest

NO_MATCH = 5
MOST_COMPARED = 200_000  # names: among more, none that merely look alike are searched for


def search_items(data: Vocabularies, text: str, n: int = 10) -> NDArray[np.int32]:
    """Codes of the up to `n` items whose title, or id where there are no titles, matches `text`, (items,), best first.

    Names that begin with the text come before names with a word that begins so, then names that hold it anywhere, then
    names that hold each of its words; among equals the item with more ratings. Where none does, names that look alike.
    """
    names = data.item_names(np.arange(1, len(data.item_ids))).to_list()
    wanted = plain(text)
    levels = np.array([_level(plain(name), wanted) for name in names], dtype=np.int8)
    matching = np.flatnonzero(levels < NO_MATCH)
    if len(matching):
        order = np.lexsort((-data.item_counts[1:][matching], levels[matching]))
        return (matching[order][:n] + 1).astype(np.int32)
    if not wanted or len(names) > MOST_COMPARED:
        return np.zeros(0, dtype=np.int32)
    by_plain = {plain(name): at + 1 for at, name in reversed(list(enumerate(names)))}
    return np.array([by_plain[name] for name in closest(wanted, by_plain, n)], dtype=np.int32)


def names_like(data: Vocabularies, text: str, n: int = 3) -> list[str]:
    """Up to `n` names of items that hold `text`, and up to `n` that look like it, each once, the likeliest first."""
    names = data.item_names(search_items(data, text, n)).to_list()
    if data.n_items <= MOST_COMPARED:
        names += closest(text, data.item_names(np.arange(1, len(data.item_ids))), n)
    return list(dict.fromkeys(names))


def _level(name: str, wanted: str) -> int:
    """How well a name matches: 0 for the same, `NO_MATCH` for not at all; both plain."""
    if not wanted:
        return NO_MATCH
    if wanted not in name:
        return 4 if all(word in name for word in wanted.split()) else NO_MATCH
    if name == wanted:
        return 0
    return 1 if name.startswith(wanted) else 2 if f" {wanted}" in name else 3


def plain(text: str) -> str:
    """Lower case, without accents, words separated by single spaces: ``Amélie, Part 2`` becomes ``amelie part 2``."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(one for one in letters if not unicodedata.combining(one))))
