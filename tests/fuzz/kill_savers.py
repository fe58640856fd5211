"""Processes that write are killed at random moments: nothing may be lost, and nothing left over.

    python tests/fuzz/kill_savers.py --kills 100 --seed 1

Each turn starts a process that saves a model again and again (whole, as a serving folder, after an update), exports its
vectors, or trains images with checkpoints; kills it with SIGKILL somewhere in the middle; and looks at what is there:
what was complete before must load and answer as one of the versions written, a fit must continue from its checkpoint,
and the next write must leave the folder with the files of one version alone.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import polars as pl  # noqa: E402 - the path comes first

import vectable as vt  # noqa: E402
from every_kind import EveryKind  # noqa: E402
from vectable.artifact import read_manifest  # noqa: E402

KINDS = EveryKind(n_users=40, n_items=30, each=8)


# ------------------------------------------------------------------------------------------- what is killed


def save(place: Path) -> None:
    """Save the learner over and over."""
    learn = vt.load_learner(place / "model", progress=False)
    while True:
        learn.save(place / "model")


def save_serving(place: Path) -> None:
    """The same as a serving folder."""
    learn = vt.load_learner(place / "model", progress=False)
    while True:
        learn.save(place / "small", serving=True)


def update(place: Path) -> None:
    """Take in a rating of a new user and save, over and over."""
    at = 0
    while True:
        learn = vt.load_learner(place / "model", progress=False)
        learn.update(pl.DataFrame({"user": [f"new {at}"], "item": [1], "rating": [4.0], "day": [1]}), n_epochs=0)
        learn.save(place / "model")
        at += 1


def export(place: Path) -> None:
    """Write the items' vectors in three formats, over and over."""
    learn = vt.load_learner(place / "model", progress=False)
    while True:
        for name in ("items.parquet", "items.csv", "items.tsv"):
            learn.export_vectors(place / name)


def train(place: Path) -> None:
    """Train images with a checkpoint after every step."""
    images().fit(3, 1e-3, checkpoint=vt.Checkpoint(place / "checkpoint", steps=1), resume=True)


def images() -> Any:
    """A learner of twelve images, the same each time."""
    data = vt.ImageData.from_arrays(KINDS.pictures, list("abababababab"), valid_pct=0.3, batch_size=2, seed=0)
    return vt.vision_learner(data, "fashion-small", progress=False, seed=0)


# ------------------------------------------------------------------------------------------- what must be there then


def check_folder(folder: Path) -> None:
    """It loads and answers; and after one more save it holds the files of its manifest and no other."""
    if not folder.exists():
        return
    learn = vt.load_learner(folder, progress=False)
    assert len(learn.recommend("u3", 3)) == 3
    learn.save(folder)
    named = {entry["file"] for entry in read_manifest(folder)["files"].values()}
    left = {file.name for file in folder.iterdir()} - named - {"vectable.json"}
    assert all("lock" in name for name in left), f"left over in {folder}: {sorted(left)}"


def check_exports(place: Path) -> None:
    """Each file is complete; and after one more export there is no other."""
    names = {"items.parquet": pl.read_parquet, "items.csv": pl.read_csv}
    for name, read in names.items():
        if (place / name).exists():
            assert len(read(place / name)) == KINDS.n_items
    for name in ("items.tsv", "items_metadata.tsv"):
        if (place / name).exists():
            assert len((place / name).read_text().splitlines()) == KINDS.n_items + ("meta" in name)
    learn = vt.load_learner(place / "model", progress=False)
    for name in ("items.parquet", "items.csv", "items.tsv"):
        learn.export_vectors(place / name)
    assert not list(place.glob(".*.part")), sorted(place.glob(".*.part"))


def check_training(place: Path) -> None:
    """The fit continues from its checkpoint to the weights that a fit without a kill has."""
    if not (place / "checkpoint" / "vectable.json").exists():
        return
    learn = images().fit(3, 1e-3, checkpoint=vt.Checkpoint(place / "checkpoint", steps=1), resume=True)
    undisturbed = images().fit(3, 1e-3)
    theirs = undisturbed.model.state_dict()
    assert all(bool((value == theirs[name]).all()) for name, value in learn.model.state_dict().items())


TURNS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "save": (save, lambda place: check_folder(place / "model")),
    "save serving": (save_serving, lambda place: check_folder(place / "small")),
    "update": (update, lambda place: check_folder(place / "model")),
    "export": (export, check_exports),
    "train": (train, check_training),
}


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    warnings.simplefilter("ignore")
    chance = random.Random(given.seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "polars", "kill_savers"])
    names, killed = list(TURNS), 0
    with tempfile.TemporaryDirectory() as folder:
        KINDS.make("dot product").save(Path(folder) / "start")
        while killed < given.kills:
            name = names[killed % len(names)]
            place = Path(folder) / f"turn {killed}"
            place.mkdir()
            vt.load_learner(Path(folder) / "start", progress=False).save(place / "model")
            work, check = TURNS[name]
            process = context.Process(target=work, args=(place,))
            process.start()
            time.sleep(chance.uniform(0.2, 2.0))
            running = process.is_alive()
            process.kill()
            process.join()
            if not running and process.exitcode != 0:
                raise RuntimeError(f"the process of {name!r} ended by itself")
            killed += 1
            try:
                check(place)
            except BaseException:
                print(f"kill {killed} of {name!r} (while it {'ran' if running else 'had ended'})", flush=True)
                raise
    print(f"{killed} kills: nothing lost, nothing left over")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
