"""One measurement on a long table, in a process of its own; prints JSON. `stream.py` starts it.

make: write the made-up table as Parquet files.
blocks: train an epoch from the files in blocks, and watch the resident memory.
memory: the same with the whole table in memory.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

from _common import clock
from _scale_child import resident

WIDTHS = [3, 5, 7, 12, 20, 24, 52, 100, 300, 1000]  # values of each category column
N_NUMBERS, SHARE_MISSING, FILE_ROWS = 10, 0.02, 1_000_000


def make(args: argparse.Namespace) -> dict:
    """Ten categories (half of them text), ten numbers with holes, a date; a planted score gives the class's odds."""
    rng = np.random.default_rng(args.seed)
    effects = [rng.normal(0, 0.5, width) for width in WIDTHS]
    slopes = rng.normal(0, 0.4, N_NUMBERS)
    right = bayes = size = 0.0
    for number, first in enumerate(range(0, args.rows, FILE_ROWS)):
        rows = min(FILE_ROWS, args.rows - first)
        codes = [np.minimum(rng.geometric(min(5 / width, 0.5), rows), width) - 1 for width in WIDTHS]
        numbers = rng.normal(size=(rows, N_NUMBERS))
        score = sum(effect[code] for effect, code in zip(effects, codes, strict=True)) + np.tanh(numbers) @ slopes
        chance = 1 / (1 + np.exp(-score))
        target = rng.random(rows) < chance
        right += float((target == (chance > 0.5)).sum())
        bayes += float(-(target * np.log(chance) + (1 - target) * np.log1p(-chance)).sum())
        numbers[rng.random(numbers.shape) < SHARE_MISSING] = np.nan
        columns = {
            f"c{at}": pl.Series(code) if at % 2 else pl.Series([f"value {v}" for v in range(width)]).gather(code)
            for at, (code, width) in enumerate(zip(codes, WIDTHS, strict=True))
        }
        columns |= {f"x{at}": numbers[:, at] for at in range(N_NUMBERS)}
        columns["day"] = pl.Series(rng.integers(15_000, 19_000, rows).astype(np.int32)).cast(pl.Date)
        columns["target"] = pl.Series(np.where(target, "yes", "no"))
        frame = pl.DataFrame(columns).with_columns(pl.col(f"x{at}").fill_nan(None) for at in range(N_NUMBERS))
        frame.write_parquet(args.folder / f"part-{number:03}.parquet")
        size += frame.estimated_size()
    return {
        "rows": args.rows,
        "columns": len(WIDTHS) + N_NUMBERS + 2,
        "files": number + 1,
        "MB in memory": size / 1e6,
        "accuracy of the planted score": right / args.rows,
        "log loss of the planted score": bayes / args.rows,
    }


def train(args: argparse.Namespace) -> dict:
    import torch

    import vectable as vt

    torch.set_num_threads(1)
    names = {
        "cat_names": [f"c{at}" for at in range(len(WIDTHS))],
        "cont_names": [f"x{at}" for at in range(N_NUMBERS)],
        "date_names": ["day"],
    }
    how = {**names, "valid_pct": min(0.2, 200_000 / args.rows), "batch_size": args.batch, "seed": 0}
    vt.tabular_learner  # noqa: B018 - what trains is imported before any clock runs
    imported = resident()
    with clock() as reading:
        if args.what == "blocks":
            data = vt.TableData.from_parquet(args.folder, "target", block_rows=args.block_rows, **how)
        else:
            data = vt.TableData.from_df(pl.read_parquet(args.folder / "*.parquet"), "target", **how)
    reading_peak = resident("VmHWM")
    learn = vt.tabular_learner(data, layers=[100, 50], progress=False, seed=args.seed)
    with clock() as training:
        learn.fit_one_cycle(1, 5e-3)
    found = learn.validate()
    return {
        "imported_bytes": imported,
        "peak_reading_bytes": reading_peak,
        "peak_bytes": resident("VmHWM"),
        "training_rows": len(data.train_rows),
        "reading_seconds": reading(),
        "training_seconds": training(),
        "accuracy": found["accuracy"],
        "log_loss": found["valid_loss"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "blocks", "memory"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--block-rows", type=int, default=1 << 17)
    args = parser.parse_args()
    print(json.dumps(make(args) if args.what == "make" else train(args)))


if __name__ == "__main__":
    main()
