"""Warnings as notes on standard error: the first of a kind as it comes, the others in one line at the end."""

import re
import sys

from vectable.errors import quote_some

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
LISTED = re.compile(r"_(?:(?:, | and | or )_(?: more)?)+")
NUMBER = re.compile(r"\d[\d.,]*")
SHOWN = 60  # characters of a sentence by which its kind is known again


class Notes:
    """The notes of one command."""

    def __init__(self) -> None:
        self._by_kind: dict[str, list[str]] = {}

    def show(self, message: Warning | str, *_: object, **__: object) -> None:
        """Print a note, unless one of its kind was printed; takes the place of `warnings.showwarning`."""
        text = str(message)
        alike = self._by_kind.setdefault(kind_of(text), [])
        alike.append(text)
        if len(alike) == 1:
            print(f"note: {text}", file=sys.stderr)

    def close(self) -> None:
        """Print one line for each kind that came more than once: how many more, and about what."""
        for first, *others in self._by_kind.values():
            if others:
                print(f"note: {_more(first, others)}", file=sys.stderr)
        self._by_kind.clear()


def kind_of(text: str) -> str:
    """A sentence without its names and numbers: the same for all warnings of one kind."""
    return LISTED.sub("_", NUMBER.sub("_", QUOTED.sub("_", text)))


def _more(first: str, others: list[str]) -> str:
    start = first if len(first) <= SHOWN else first[:SHOWN].rpartition(" ")[0] + " ..."
    known = set(QUOTED.findall(first))
    names = [name for text in others for name in QUOTED.findall(text) if name not in known]
    about = f", with {quote_some([name[1:-1] for name in dict.fromkeys(names)], 5)}" if names else ""
    return f"{len(others):,} more like this{about}: {start}"
