"""Count what mypy is asked to overlook: few, and each with its reason.

    python tools/type_ignores.py --at-most 10 src

A reason is a second comment on the line: ``x = y  # type: ignore[attr-defined]  # numba has no types``.
"""

import argparse
import re
import sys
import tokenize
from pathlib import Path

IGNORE = re.compile(r"#\s*type:\s*ignore(\[[\w\-, ]+\])?(?P<reason>.*)")


def ignores_in(path: Path) -> list[tuple[int, bool]]:
    """The line of each ignore in a file, and whether its reason follows."""
    with tokenize.open(path) as file:
        comments = [token for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT]
    found = [(token.start[0], IGNORE.match(token.string)) for token in comments]
    return [(line, len(match["reason"].strip(" #")) > 10) for line, match in found if match]


def main() -> None:
    """Exit with 1 if there are more than allowed, or one without its reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--at-most", type=int, required=True)
    parser.add_argument("--without-reason", type=int, default=0, help="number allowed without a reason")
    options = parser.parse_args()
    found = [
        (f"{path}:{line}", explained)
        for folder in options.folders
        for path in sorted(folder.rglob("*.py*"))
        if path.suffix in (".py", ".pyi")
        for line, explained in ignores_in(path)
    ]
    bare = [where for where, explained in found if not explained]
    print(f"type: ignore: {len(found)} (at most {options.at_most}), {len(bare)} without a reason")
    if len(found) > options.at_most or len(bare) > options.without_reason:
        print(*(bare if len(bare) > options.without_reason else [where for where, _ in found]), sep="\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
