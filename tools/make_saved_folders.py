"""Write a small saved folder of every kind, and what it answers, for later versions to load: tests/saved/VERSION.

    python tools/make_saved_folders.py

Run once for each release, before its tag; what is there already is left alone, since its point is to be old.
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import vectable as vt

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests"))

from every_kind import EveryKind, as_json  # noqa: E402 - the path comes first

SMALL = EveryKind(n_users=12, n_items=14, each=8)
LEFT_OUT = {"images"}  # a backbone is large; tests of images make folders of their own


def main() -> None:
    """Write what is missing."""
    warnings.simplefilter("ignore")
    top = PROJECT / "tests" / "saved" / vt.__version__
    for name in SMALL.names:
        folder = top / name.replace(" ", "-")
        if name in LEFT_OUT or (folder / "answers.json").exists():
            continue
        learn = SMALL.make(name)
        shutil.rmtree(folder, ignore_errors=True)
        learn.save(folder / "whole")
        learn.save(folder / "serving", serving=True)
        answers = [as_json(ask(learn)) for ask in SMALL.questions(name)]
        (folder / "answers.json").write_text(json.dumps(answers, ensure_ascii=False) + "\n", encoding="utf-8")
        for lock in folder.rglob("*lock*"):
            lock.unlink()
        print(folder.relative_to(PROJECT))


if __name__ == "__main__":
    main()
