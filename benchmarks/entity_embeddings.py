"""The table of the paper on entity embeddings (Guo & Berkhahn 2016, arXiv 1604.06737) computed again.

Seven columns of categories tell Rossmann's sales: store, weekday, day, month, year, promotion, state. Methods learn the
logarithm of the sales of 200,000 of the first nine tenths of the rows and are judged by the mean absolute percentage
error on the last tenth; rows are in order of time, or shuffled first. "With embeddings" a method is given the vectors,
of the paper's widths, that a net learned from the same 200,000 rows, instead of the codes.
"""

import json
import time
from pathlib import Path

import numpy as np

from _common import Report, arguments, cpu_clock, installed, mean_sd, parse, spread
from _rossmann import sales

WIDTHS = {"store": 10, "weekday": 6, "day": 10, "month": 6, "year": 2, "promo": 1, "state": 6}
LAYERS, EPOCHS, LR, WD, BATCH = [1000, 500], 5, 3e-3, 0.3, 256
TRAIN_ROWS, TEST_ROWS, TREES = 200_000, 5_000, 20
SPLITS = ("shuffled", "in order of time")
METHODS = ("KNN", "random forest", "gradient boosting", "neural net")


def main() -> None:
    parser = arguments(__doc__, seeds=2)
    parser.add_argument("--store", metavar="FILE", help="put the table into this file, src/vectable/lesson/stored.json")
    args = parse(parser)
    sizes = (4_000, 1_000) if args.quick else (TRAIN_ROWS, TEST_ROWS)
    report = Report("entity_embeddings", args, seeds=args.seeds, train_rows=sizes[0], test_rows=sizes[1])

    import torch

    torch.set_num_threads(1)
    if not installed("lightgbm"):
        report.missing("LightGBM, the gradient boosting here")
    table = columns()
    runs = {(method, split): [] for split in SPLITS for method in METHODS}
    for seed in range(args.seeds):
        for split in SPLITS:
            with cpu_clock() as seconds:
                for method, pair in errors(*rows(table, split, seed, *sizes), seed):
                    runs[method, split].append(pair)
                    report.say(f"seed {seed}, {split}, {method}: {pair[0]:.3f}, {pair[1]:.3f}; {seconds():.0f} CPU s")
    tell(report, runs)
    if args.store and not args.quick:
        store(report, args)
    report.finish()


def columns():
    """The seven columns and the sales of days with sales, in order of time."""
    import polars as pl

    days = sales().filter(pl.col("sales") > 0).sort("date", "store")
    date = pl.col("date")
    parts = {"day": date.dt.day(), "month": date.dt.month(), "year": date.dt.year()}
    return days.with_columns(**parts).select(*WIDTHS, log_sales=pl.col("sales").log())


def rows(table, split, seed, n_train, n_test):
    """Training and test rows."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table)) if split == "shuffled" else np.arange(len(table))
    first, last = np.split(order, [len(table) * 9 // 10])
    return table[rng.choice(first, n_train, replace=False)], table[rng.choice(last, n_test, replace=False)]


def errors(train, test, seed):
    """Each method with its errors without and with embeddings."""
    import vectable as vt

    names = list(WIDTHS)
    data = vt.TableData.from_df(train, "log_sales", names, [], valid_pct=0.0, batch_size=BATCH)
    learn = vt.tabular_learner(data, LAYERS, emb_widths=WIDTHS, metrics=[], wd=WD, seed=seed, progress=False)
    learn.fit_one_cycle(EPOCHS, LR)
    plain = vt.Learner(one_of(data, train), one_hot_net(data, seed), wd=WD, seed=seed, progress=False)
    plain.fit_one_cycle(EPOCHS, LR)

    y, truth = train["log_sales"].to_numpy(), test["log_sales"].to_numpy()
    codes = [data.encoder.encode(one)[0] for one in (train, test)]
    vectors = [side_by_side(learn, one) for one in codes]
    without = data.target.decode(plain.predict(offsets(data, codes[1])))
    yield "neural net", [percentage_error(one, truth) for one in (without, learn.predict(test))]
    for method in METHODS[:-1]:
        if method != "gradient boosting" or installed("lightgbm"):
            pair = (model_of(method, seed).fit(x, y).predict(x_test) for x, x_test in (codes, vectors))
            yield method, [percentage_error(predicted, truth) for predicted in pair]


def percentage_error(predicted, truth):
    """Mean absolute percentage error of the sales whose logarithms these are, as a share."""
    return float(np.mean(np.abs(np.expm1(predicted - truth))))


def side_by_side(learn, codes):
    """The vectors of each row's categories, (rows, sum of widths)."""
    tables = [table.weight.detach().numpy() for table in learn.model.embeddings]
    return np.concatenate([table[codes[:, at]] for at, table in enumerate(tables)], axis=1)


def model_of(method, seed):
    """The paper's methods and settings, but for fewer trees (it has 200) and fewer, larger steps of boosting."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.neighbors import KNeighborsRegressor

    if method == "KNN":
        return KNeighborsRegressor(n_neighbors=10, weights="distance", p=1)
    if method == "random forest":
        return RandomForestRegressor(n_estimators=TREES, max_depth=35, random_state=seed)
    from lightgbm import LGBMRegressor

    about = {"learning_rate": 0.1, "n_estimators": 600, "num_leaves": 128, "max_depth": 7, "max_bin": 2047}
    chance = {"colsample_bytree": 0.7, "subsample": 0.7, "subsample_freq": 1, "random_state": seed}
    return LGBMRegressor(**about, **chance, n_jobs=1, verbose=-1)


# ---------------------------------------------------------------- the net without embeddings


def one_hot_net(data, seed):
    """The same layers on one input a category: the rows that are 1 of the first layer's weights, added up."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    n_inputs = sum(len(one) for one in data.encoder.categories.values())
    first = nn.EmbeddingBag(n_inputs, LAYERS[0], mode="sum")
    nn.init.uniform_(first.weight, -(n_inputs**-0.5), n_inputs**-0.5)  # as nn.Linear begins
    blocks = [first, nn.ReLU(), nn.BatchNorm1d(LAYERS[0]), nn.Linear(LAYERS[0], LAYERS[1]), nn.ReLU()]
    return nn.Sequential(*blocks, nn.BatchNorm1d(LAYERS[1]), nn.Linear(LAYERS[1], 1))


def offsets(data, codes):
    """Codes as numbers of the one-hot inputs, (rows, columns)."""
    lengths = [len(one) for one in data.encoder.categories.values()]
    return codes + np.concatenate([[0], np.cumsum(lengths)[:-1]])


def one_of(data, train):
    """The training rows for that net."""
    import vectable as vt

    inputs = offsets(data, data.train_rows.categories)
    return vt.TensorData.from_arrays(inputs, data.train_rows.target, bs=BATCH)


# ---------------------------------------------------------------- what came out


def tell(report, runs):
    from vectable.lesson.printed import PAPER_MAPE

    table = []
    for (method, split), pairs in runs.items():
        if not pairs:
            continue
        without, embedded = (spread(pair[side] for pair in pairs) for side in (0, 1))
        report.result(f"{method}, {split}", {"without": without, "with": embedded})
        before, after = PAPER_MAPE[method, split]
        table.append(
            {
                "": f"{method}, {split}",
                "paper, without": f"{before:.3f}",
                "with": f"{after:.3f}",
                "ours, without": mean_sd(without),
                "with ": mean_sd(embedded),
            }
        )
    report.table(table)
    better = [key for key, one in report.found["results"].items() if one["with"]["mean"] < one["without"]["mean"]]
    report.conclude(
        f"Entity embeddings lower the error in {len(better)} of {len(table)} cases"
        + (f": {'; '.join(better)}." if better else ".")
    )


def store(report, args):
    """Keep the table where the lesson's numbers are shown."""
    file = Path(args.store)
    stored = json.loads(file.read_text())
    stored["paper"] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": f"python benchmarks/entity_embeddings.py --seeds {args.seeds}",
        "note": f"mean absolute percentage error on {TEST_ROWS:,} rows of the last tenth, "
        + ("one seed" if args.seeds == 1 else f"mean of {args.seeds} seeds"),
        "results": {
            key: [round(one[side]["mean"], 4) for side in ("without", "with")]
            for key, one in report.found["results"].items()
        },
    }
    file.write_text(json.dumps(stored, indent=2) + "\n")


if __name__ == "__main__":
    main()
