"""What a serving folder saves: size, and time of loading, beside the whole folder, on made-up ratings.

The ratings are those of `_synthetic.py`: half stars, long-tailed popularity. Loading is timed in processes of its own,
each reading one folder and answering one list; the lists of the whole and the serving folder must be equal. A third
folder has its weights rounded to 16 bits; how far its predictions are from those of the whole one is printed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from _common import EPOCHS, LESSON, LR, Report, arguments, parse
from _synthetic import make

LEAST_TIMES = 10.0
LOAD = """
import json, sys, time
import vectable as vt
vt.collab_learner
started = time.process_time()
learn = vt.load_learner(sys.argv[1], progress=False)
loaded = time.process_time() - started
items = learn.recommend(7, 10)["item"].to_list()
print(json.dumps({"seconds": loaded, "items": items}))
"""


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--times", action="store_true", help="ratings have times, as MovieLens' 20 million have")
    parser.add_argument("--ratings", type=int, help="ratings made (default 2,000,000; 100,000 with --quick)")
    args = parse(parser)
    n_ratings = args.ratings or (100_000 if args.quick else 2_000_000)
    report = Report("serving_folder", args, ratings=n_ratings, times=args.times)

    import polars as pl

    import vectable as vt

    n_users, n_items = max(n_ratings // 145, 100), max(n_ratings // 740, 100)
    with tempfile.TemporaryDirectory() as made:
        make(Path(made), n_ratings, n_users, n_items, valid_pct=0, seed=0)
        frame = pl.read_parquet(Path(made) / "train.parquet")
    if args.times:
        frame = frame.with_columns(when=pl.int_range(pl.len()) + 1_000_000_000)
    data = vt.RatingsData.from_df(frame, "user", "item", "rating", timestamp="when" if args.times else None)
    learn = vt.collab_learner(data, **LESSON, progress=False).fit_one_cycle(EPOCHS, LR)
    with tempfile.TemporaryDirectory() as folder:
        places = {"whole": Path(folder) / "whole", "serving": Path(folder) / "serving", "half": Path(folder) / "half"}
        learn.save(places["whole"])
        learn.save(places["serving"], serving=True)
        learn.save(places["half"], serving=True, half=True)
        rows, sizes, lists = [], {}, []
        for name, place in places.items():
            sizes[name] = sum(file.stat().st_size for file in place.iterdir())
            done = subprocess.run([sys.executable, "-c", LOAD, place], capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            lists.append(found.pop("items"))
            report.result(name, {"bytes": sizes[name], **found})
            rows.append({"folder": name, "MB": f"{sizes[name] / 1e6:.1f}", "load, CPU s": f"{found['seconds']:.2f}"})
        some = frame.sample(min(len(frame), 100_000), seed=0)
        rounded = vt.load_learner(places["half"], progress=False).predict(some)
        off = float(np.abs(rounded - learn.predict(some)).max())
    assert lists[0] == lists[1], "the two folders answer differently"
    report.table(rows)
    report.target("times smaller", sizes["whole"] / sizes["serving"], at_least=LEAST_TIMES)
    report.target("times smaller, weights in 16 bits", sizes["whole"] / sizes["half"], at_least=LEAST_TIMES)
    report.target("stars that rounding moves a prediction, at most", off, at_most=0.01)
    report.finish()


if __name__ == "__main__":
    main()
