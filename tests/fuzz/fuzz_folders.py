"""Mutated and re-sealed folders of every kind of model: each must load and answer, or be refused in a sentence.

    python tests/fuzz/fuzz_folders.py --cases 500 --seed 1 [--names EASE classes/serving ...]

The folders of tests/saved, and one of images, are changed at random (numbers, types and shapes of arrays; anything in
the JSON; files that
are missing or another kind's) and sealed with fresh checksums, as someone with bad intentions would; then loaded and
asked. See `driver.py`.
"""

import copy
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from driver import main  # noqa: E402 - the path comes first

from every_kind import EveryKind  # noqa: E402

SMALL = EveryKind(n_users=12, n_items=14, each=8)
KINDS = ["ratings", "posterior", "table", "images", "implicit", "next_item", "own module", "checkpoint", "nothing", ""]
NAMES = {name.replace(" ", "-"): name for name in SMALL.names}
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 2**70, -(2**40), 0.5, 1e308, float("nan"), float("inf"), "", "a",
    "x" * 5000, "\0", "../../etc", "float32", [], [1], [[]], [None], {}, {"a": 1}, {"kind": "text", "values": []},
]  # fmt: skip


@dataclass(frozen=True)
class Folder:
    """A saved folder under attack.

    Attributes:
        path: of the valid one.
        kind: its name among the kinds of learners.
        light: whether it is loaded by `load_answers` and not by `load_learner`.
    """

    path: Path
    kind: str
    light: bool = False

    @cached_property
    def contents(self) -> Any:
        """What the valid folder holds."""
        from vectable.artifact import read_folder

        return read_folder(self.path)

    def write(self, name: str, number: int, seed: int, folder: Path) -> Path:
        """Write the folder of a case."""
        from vectable.artifact import Contents, write_folder
        from vectable.errors import VectableError

        rng = np.random.default_rng([seed, number, *name.encode()])
        valid = self.contents
        changed = Contents(
            valid.kind, copy.deepcopy(valid.settings), {key: dict(one) for key, one in valid.tensors.items()},
            copy.deepcopy(valid.tables),
        )  # fmt: skip
        for _ in range(int(rng.integers(1, 4)) if number else 0):
            _change(changed, rng)
        path = folder / "case"
        try:
            return write_folder(path, changed)
        except (VectableError, ValueError, TypeError, RuntimeError):  # not a folder that can be written
            return write_folder(path, valid)

    def try_it(self, path: Path) -> object:
        """Load it, and ask what users ask."""
        import vectable as vt

        if self.light:
            return _ask(vt.load_answers(path))
        learn = vt.load_learner(path, progress=False)
        return [ask(learn) for ask in SMALL.questions(self.kind)]


class FreshFolder(Folder):
    """A folder of a kind that is too large to be kept among the tests: trained and saved when it is needed."""

    @cached_property
    def contents(self) -> Any:
        """What a new folder of the kind holds."""
        from vectable.artifact import read_folder

        with tempfile.TemporaryDirectory() as folder:
            return read_folder(SMALL.make(self.kind).save(Path(folder) / "model", serving=self.path.name == "serving"))


def _ask(answers: Any) -> object:
    """What servers ask of `load_answers`."""
    if not hasattr(answers, "recommend"):
        return answers.predict(SMALL.rows.with_columns(stars="rating").to_dicts())
    return [
        answers.recommend("u7", 5, diversity=0.3, max_per={"genre": 2}),
        answers.recommend_many(n=3),
        answers.fold_in({"Film é 3": 5, 7: 1}),
        answers.similar("Film é 3"),
        answers.explain("u7", 9),
        answers.predict([{"user": "u7", "item": 3}]),
    ]


# ------------------------------------------------------------------------------------------- changes


def _change(contents: Any, rng: np.random.Generator) -> None:
    how = int(rng.integers(20))
    if how < 10:
        _change_array(contents.tensors, rng)
    elif how < 17:
        part = contents.tables if rng.random() < 0.6 and contents.tables else contents.settings
        _change_json(part, rng)
    elif how == 17:
        contents.kind = KINDS[int(rng.integers(len(KINDS)))]
    elif how == 18:
        files = contents.tensors if rng.random() < 0.5 else contents.tables
        if files:
            del files[list(files)[int(rng.integers(len(files)))]]
    else:
        contents.settings["serving"] = not contents.settings.get("serving", False)


def _change_array(tensors: dict[str, dict[str, Any]], rng: np.random.Generator) -> None:
    import torch

    files = [name for name, arrays in tensors.items() if arrays]
    if not files:
        return
    file = files[int(rng.integers(len(files)))]
    names = list(tensors[file])
    name, other = (names[int(rng.integers(len(names)))] for _ in range(2))
    array = tensors[file][name].numpy().copy()
    changes: list[Callable[[], Any]] = [
        lambda: _with_value(array, rng),
        lambda: _with_value(array, rng),
        lambda: array.astype(rng.choice(["float32", "float64", "int32", "int64", "uint8", "int8", "bool"])),
        lambda: array.reshape(-1) if array.ndim != 1 else array[:, None],
        lambda: array[: len(array) // 2] if array.ndim else array[None],
        lambda: np.concatenate([array, array]) if array.ndim else array,
        lambda: array[:0] if array.ndim else array,
        lambda: array.T,
        lambda: np.zeros((0,) * max(array.ndim, 1), dtype=array.dtype),
        lambda: tensors[file][other].numpy(),
    ]
    which = int(rng.integers(len(changes) + 2))
    with np.errstate(all="ignore"):
        if which < len(changes):
            tensors[file][name] = torch.from_numpy(np.array(changes[which](), order="C"))
        elif which == len(changes):
            del tensors[file][name]
        else:
            tensors[file][f"{name}.more"] = tensors[file][name]


def _with_value(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One or all of its numbers replaced by what indexes, sizes and sums stumble over."""
    if array.size == 0:
        return array
    if array.dtype == bool:
        values: list[Any] = [True, False]
    elif np.issubdtype(array.dtype, np.integer):
        limits = np.iinfo(array.dtype)
        values = [limits.min, limits.max, 0, 1, int(array.max()) + 1 if array.max() < limits.max else 0]
    else:
        values = [np.nan, np.inf, -np.inf, np.finfo(array.dtype).max, -1e9, 1e-300, 0]
    value = values[int(rng.integers(len(values)))]
    if rng.random() < 0.2:
        array[...] = value
    else:
        array.flat[int(rng.integers(array.size))] = value
    return array


def _change_json(value: Any, rng: np.random.Generator) -> None:
    """Something replaced, removed, doubled or added somewhere in JSON values."""
    while isinstance(value, dict | list) and len(value):
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = keys[int(rng.integers(len(keys)))]
        if isinstance(value[key], dict | list) and len(value[key]) and rng.random() < 0.75:
            value = value[key]
            continue
        how = int(rng.integers(6))
        if how < 3:
            value[key] = copy.deepcopy(VALUES[int(rng.integers(len(VALUES)))])
        elif how == 3:
            del value[key]
        elif how == 4 and isinstance(value, list):
            value.append(copy.deepcopy(value[key]))
        elif isinstance(value[key], int | float) and not isinstance(value[key], bool):
            value[key] = value[key] * -3 + 1
        else:
            value[key] = _nested(30)
        return


def _nested(depth: int) -> Any:
    inner: Any = []
    for _ in range(depth):
        inner = [inner]
    return inner


FOLDERS = {
    f"{one.parent.name}/{one.name}": Folder(one, NAMES[one.parent.name])
    for one in sorted((TESTS / "saved" / "0.1.0").glob("*/*"))
    if one.is_dir()
}

FOLDERS |= {f"images/{one}": FreshFolder(Path("images") / one, "images") for one in ("whole", "serving")}
FOLDERS |= {
    f"{name}/answers": Folder(one.path, one.kind, light=True)
    for name, one in FOLDERS.items()
    if one.kind in ("dot product", "classes", "numbers")
}

if __name__ == "__main__":
    sys.exit(main(__doc__.splitlines()[0], __file__, FOLDERS))
