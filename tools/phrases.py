"""Refuse phrases that read as translated: each has plain words that say the same.

    python tools/phrases.py src docs

Looks at every line of Python and Markdown files, code among them. Lines that hold ``phrases: ok``, or the name that the
saved format gives a custom module, are left alone.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

PHRASES = {
    r"holes?\b": "missing values",
    r"(?:is|are|was|were|be) told\b": "is reported, is warned of",
    r"as (?:it|they) stands?\b": "as it is, or leave it out",
    r"own module\b": "custom module",
    r"of (?:torch|timm|Pillow)'s\b": "from torch",
    r"of your own\b": "custom, your own",
    r"anew\b": "again",
    r"nought\b": "zero",
    r"noth?ing in it is executed": "loading never runs code from it",
    r"brings? (?:it|them) (?:back|to life)": "loads it",
    r"goes on (?:to|where|as|from)\b": "continues",
    r"to the bit\b": "bit for bit",
    r"the tables people have\b": "everyday tabular data",
    r"it never saw\b": "a new user",
    r"be believed\b": "is it calibrated",
    r"from 0 up to \(not with\) 1": "in [0, 1)",
    r"(?:one|a row|rows|steps|three) an? (?:row|epoch|step|user|item|column|layer|group|fold|fit|parameter)\b": "per",
}
START = r"(?<![\w'-])"  # of a word
WORDS = [(re.compile(rf"{START}(?:{phrase})", re.IGNORECASE), plain) for phrase, plain in PHRASES.items()]
WORDS.append((re.compile(r"; (?:it is|they are) [^.]*(?:or more|above 0)"), "x must be a positive integer; got 0"))
WORDS.append((re.compile(r"[ |(]\.\d"), "0.9, with the zero"))
ALLOWED = re.compile(r'phrases: ok|"own module"')
KINDS = {".py", ".pyi", ".md", ".yml"}


def found_in(path: Path) -> Iterator[str]:
    """What reads as translated in a file, as lines for a person."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if ALLOWED.search(line):
            continue
        for word, plain in WORDS:
            for hit in word.finditer(line):
                yield f"{path}:{number}: {hit[0]!r}: {plain}"


def main(names: list[str]) -> int:
    """Look at files, and at all files in folders; 1 where a phrase was found."""
    tops = [Path(name) for name in names]
    files = [file for top in tops for file in (sorted(top.rglob("*")) if top.is_dir() else [top])]
    found = [line for file in files if file.suffix in KINDS and file.is_file() for line in found_in(file)]
    print("\n".join(found) if found else f"phrases: none of {len(WORDS)} in {len(files):,} files")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
