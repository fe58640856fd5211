"""One measurement of `bayes_scale.py`, in a process of its own: read made-up ratings, draw, tell time and memory."""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
import warnings
from pathlib import Path

import polars as pl

import vectable as vt
from _scale_child import forget_peak, resident


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, required=True)
    parser.add_argument("--factors", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--history", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore", vt.VectableWarning)
    few = pl.DataFrame({"user": [1, 2, 2], "item": [1, 1, 2], "rating": [1.0, 2.0, 3.0]})
    vt.bayes_collab_learner(vt.RatingsData.from_df(few, valid_pct=0), 2, 3, 0, progress=False).fit()
    before = resident()
    forget_peak()
    train, valid = (pl.read_parquet(args.folder / f"{part}.parquet") for part in ("train", "valid"))
    data = vt.RatingsData.from_splits(train, valid)
    del train, valid
    learn = vt.bayes_collab_learner(
        data, args.factors, args.draws, 5, history=args.history, threads=args.threads, progress=False
    )
    started = time.perf_counter()
    learn.fit()
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {
                "rmse": learn.validate()["rmse"],
                "seconds": seconds,
                "seconds_a_draw": seconds / (args.draws + 5),
                "peak_mb": (resident("VmHWM") - before) / 2**20,
                "kept": learn.model.n_draws,
            }
        )
    )


if __name__ == "__main__":
    main()
