"""One measurement of vectable on a large file, in a process of its own; prints JSON. `scale.py` starts it.

memory: read the training file, split, encode and train an epoch, and watch the resident memory.
speed: time an epoch with a given number of threads, no validation rows.
choose: train --epochs epochs on nine tenths of the training rows; the error on the rest.
reach: train 1, 2, ... up to --epochs epochs, from the start each time, until the validation error is at most --error.
"""

import argparse
import gc
import json
import math
from pathlib import Path

from _common import clock, cpu_clock, warm_up

COLUMNS = {"user": "user", "item": "item", "rating": "rating"}


def resident(what: str = "VmRSS") -> int:
    """Bytes of resident memory now, or the most so far (VmHWM), as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(what + ":"))) * 1024


def forget_peak() -> None:
    """Start VmHWM afresh from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(folder: Path, args: argparse.Namespace) -> dict:
    warm_up()  # imports and kernels are the baseline
    gc.collect()
    forget_peak()
    imported = resident()
    with clock() as reading:
        data = args.vt.RatingsData.from_file(
            folder / "train.parquet", **COLUMNS, valid_pct=0.05, seed=0, batch_size=args.batch
        )
    reading_peak, read = resident("VmHWM"), resident()
    forget_peak()
    learn = args.learner(data)
    with clock() as training:
        learn.fit_one_cycle(1, args.lr)
    training_peak = resident("VmHWM")
    gc.collect()
    rows = len(data.train_ratings) + len(data.valid_ratings)
    parameters = sum(one.numel() for one in learn.model.parameters())
    state = sum(one.nbytes for one in learn.session.engines[0].state().values())
    least = 12 * rows + 4 * parameters + state  # codes and rating; weights; what the optimizer remembers
    above = {
        "while reading": reading_peak,
        "after reading": read,
        "while training": training_peak,
        "after training": resident(),
    }
    return {
        "imported_bytes": imported,
        "least_bytes": least,
        "rows": rows,
        "parameters": parameters,
        "optimizer_bytes": state,
        "above_imported_bytes": {when: value - imported for when, value in above.items()},
        "times_least": {when: (value - imported) / least for when, value in above.items()},
        "reading_seconds": reading(),
        "training_seconds": training(),
    }


def speed(folder: Path, args: argparse.Namespace) -> dict:
    import polars as pl

    train = pl.read_parquet(folder / "train.parquet")
    data = args.vt.RatingsData.from_splits(train, train[:0], **COLUMNS, batch_size=args.batch)
    warm_up()
    seconds, cpu_seconds = [], []
    for _ in range(args.repeats):
        learn = args.learner(data)
        with clock() as fit, cpu_clock() as cpu:
            learn.fit_one_cycle(1, args.lr)
        seconds.append(fit())
        cpu_seconds.append(cpu())
    return {"rows": len(train), "seconds": seconds, "cpu_seconds": cpu_seconds}


def choose(folder: Path, args: argparse.Namespace) -> dict:
    import polars as pl

    from _synthetic import inner_split

    train, held_out = inner_split(pl.read_parquet(folder / "train.parquet"))
    data = args.vt.RatingsData.from_splits(train, held_out, **COLUMNS, batch_size=args.batch)
    learn = args.learner(data)
    learn.fit_one_cycle(args.epochs, args.lr)
    return {"rmse": learn.validate()["rmse"]}


def reach(folder: Path, args: argparse.Namespace) -> dict:
    import polars as pl

    train, valid = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "valid"))
    with clock() as making:
        data = args.vt.RatingsData.from_splits(train, valid, **COLUMNS, batch_size=args.batch)
    warm_up()
    runs = []
    for epochs in range(1, args.epochs + 1):
        learn = args.learner(data)
        with clock() as fit, cpu_clock() as cpu:
            learn.fit_one_cycle(epochs, args.lr)
        errors = learn.validate()
        runs.append({"epochs": epochs, "seconds": fit(), "cpu_seconds": cpu(), "rmse": errors["rmse"]})
        if errors["rmse"] <= args.error:
            break
    baselines = {name: found["rmse"] for name, found in errors["baselines"].items()}
    return {"making_seconds": making(), "runs": runs, "baselines_rmse": baselines}


MEASURES = {"memory": memory, "speed": speed, "choose": choose, "reach": reach}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(MEASURES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--factors", type=int, default=40)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--wd", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--error", type=float, default=-math.inf)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--engine", default="auto")
    args = parser.parse_args()

    import vectable as vt

    settings = {
        "n_factors": args.factors,
        "y_range": (0, 5.5),
        "wd": args.wd,
        "threads": args.threads,
        "engine": args.engine,
        "progress": False,
    }
    args.vt, args.learner = vt, lambda data: vt.collab_learner(data, **settings)
    print(json.dumps(MEASURES[args.what](args.folder, args)))


if __name__ == "__main__":
    main()
