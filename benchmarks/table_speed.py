"""What a table costs: training rows a CPU-second beside a loop written by hand, and one row to its prediction.

The loop by hand is what one would write for whole tensors: the same net, one permutation an epoch, AdamW, one cycle. It
runs twice, with torch's usual AdamW and with its fused one. One row starts as a data frame (or a dict) and ends as
probabilities; each peer gets the frame it takes. All on one thread, on the training rows of the shipped Adult table.
"""

import gc
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from _common import Report, arguments, installed, parse, spread, timed, times

LEAST_SHARE, MOST_FRAME_MS, MOST_DICT_MS = 0.6, 2.0, 1.0
BATCH, LR, LAYERS = 256, 1e-2, [200, 100]
CATEGORIES = ["workclass", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country"]
NUMBERS = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--epochs", type=int, help="of each training (default 5; 1 with --quick)")
    parser.add_argument("--repeats", type=int, help="trainings of each kind, in turn (default 5; 1 with --quick)")
    parser.add_argument("--calls", type=int, help="one-row predictions of each kind (default 500; 50 with --quick)")
    args = parse(parser)
    args.epochs = args.epochs or (1 if args.quick else 5)
    args.repeats = args.repeats or (1 if args.quick else 5)
    args.calls = args.calls or (50 if args.quick else 500)
    torch.set_num_threads(1)
    report = Report("table_speed", args, epochs=args.epochs, repeats=args.repeats, calls=args.calls, batch=BATCH)
    training(report, args)
    one_row(report, args)
    report.finish()


# ---------------------------------------------------------------- training


def training(report: Report, args: Any) -> None:
    data = table()
    rows = len(data.train_rows) * args.epochs
    runs: dict[str, Callable[[], float]] = {
        "vectable": lambda: ours(data, args.epochs),
        "by hand, AdamW": lambda: by_hand(data, args.epochs, fused=False),
        "by hand, fused AdamW": lambda: by_hand(data, args.epochs, fused=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(args.repeats):
        for name, run in runs.items():
            seconds[name].append(run())
    rates = {name: spread(rows / one for one in each) for name, each in seconds.items()}
    report.result("rows_a_cpu_second", rates)
    report.table([{"training": name, "rows a CPU-second": times(one, digits=0)} for name, one in rates.items()])
    for name in list(runs)[1:]:
        share = spread(hand / own for hand, own in zip(seconds[name], seconds["vectable"], strict=True))
        report.result(f"share of {name}", share)
        report.target(f"share of the rate {name}", share["median"], at_least=LEAST_SHARE)


def table() -> Any:
    import vectable as vt

    return vt.datasets.load("adult").to_data(
        cat_names=CATEGORIES, cont_names=NUMBERS, valid_pct=0.0, batch_size=BATCH, seed=0
    )


def learner(data: Any) -> Any:
    import vectable as vt

    return vt.tabular_learner(data, layers=LAYERS, progress=False, seed=0)


def ours(data: Any, epochs: int) -> float:
    learn = learner(data)
    return cpu_seconds(lambda: learn.fit_one_cycle(epochs, LR))


def by_hand(data: Any, epochs: int, fused: bool) -> float:
    net, rows = learner(data).model.train(), data.train_rows
    codes, numbers, target = (torch.from_numpy(one) for one in (rows.categories, rows.numbers, rows.target))
    n = len(target)

    def loop() -> None:
        optimizer = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=0.01, fused=fused)
        steps = epochs * -(-n // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=steps)
        loss_func = nn.CrossEntropyLoss()
        for _ in range(epochs):
            order = torch.randperm(n)
            for first in range(0, n, BATCH):
                at = order[first : first + BATCH]
                loss = loss_func(net(codes[at], numbers[at]), target[at])
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()

    return cpu_seconds(loop)


def cpu_seconds(call: Callable[[], Any]) -> float:
    gc.collect()
    started = time.process_time()
    call()
    return time.process_time() - started


# ---------------------------------------------------------------- one row


def one_row(report: Report, args: Any) -> None:
    import vectable as vt
    from vectable.data.io.frames import from_polars

    train = vt.datasets.load("adult").train
    row = train[5].drop("salary")
    learn = learner(table())
    learn.fit_one_cycle(1, LR)
    mapping, pandas_row = row.row(0, named=True), from_polars(row, "pandas")
    calls: dict[str, Callable[[], Any]] = {
        "vectable, dict": lambda: learn.predict_proba(mapping),
        "vectable, polars": lambda: learn.predict_proba(row),
        "vectable, pandas": lambda: learn.predict_proba(pandas_row),
    }
    if installed("pyarrow"):
        arrow_row = row.to_arrow()
        calls["vectable, arrow"] = lambda: learn.predict_proba(arrow_row)
    else:
        report.missing("pyarrow")
    for name, make in {"lightgbm": lightgbm_row, "catboost": catboost_row, "fastai": fastai_row}.items():
        if installed(name):
            calls[f"{name}, pandas"] = make(from_polars(train, "pandas"))
        else:
            report.missing(name)
    found = {name: spread(timed(call, args.calls)) for name, call in calls.items()}
    report.result("one_row_seconds", found)
    report.table([{"one row": name, "ms": times(one, 1e3)} for name, one in found.items()])
    frames = [found[name]["median"] for name in calls if name.startswith("vectable") and name != "vectable, dict"]
    report.target("ms from a one-row frame, the slowest kind", max(frames) * 1e3, at_most=MOST_FRAME_MS)
    report.target("ms from a dict", found["vectable, dict"]["median"] * 1e3, at_most=MOST_DICT_MS)
    from_pandas = {name: one["median"] for name, one in found.items() if name.endswith("pandas")}
    if len(from_pandas) > 1:
        order = sorted(from_pandas, key=lambda name: from_pandas[name])
        report.conclude(
            "From a one-row pandas frame, the quickest first: "
            + ", ".join(f"{name.removesuffix(', pandas')} {from_pandas[name] * 1e3:.2f} ms" for name in order)
            + "."
        )


def lightgbm_row(frame: Any) -> Callable[[], Any]:
    import lightgbm

    x = frame[CATEGORIES + NUMBERS].astype(dict.fromkeys(CATEGORIES, "category"))
    model = lightgbm.LGBMClassifier(n_jobs=1, verbose=-1).fit(x, frame["salary"])
    row = x.iloc[[5]]
    return lambda: model.predict_proba(row)


def catboost_row(frame: Any) -> Callable[[], Any]:
    from catboost import CatBoostClassifier

    x = frame[CATEGORIES + NUMBERS].fillna(dict.fromkeys(CATEGORIES, "missing")).astype(dict.fromkeys(CATEGORIES, str))
    model = CatBoostClassifier(iterations=300, thread_count=1, verbose=False, allow_writing_files=False)
    model.fit(x, frame["salary"], cat_features=CATEGORIES)
    row = x.iloc[[5]]
    return lambda: model.predict_proba(row, thread_count=1)


def fastai_row(frame: Any) -> Callable[[], Any]:
    from fastai.tabular.all import Categorify, FillMissing, Normalize, TabularDataLoaders, tabular_learner

    warnings.filterwarnings("ignore")
    frame = frame.astype({**dict.fromkeys(CATEGORIES, object), **dict.fromkeys(NUMBERS, np.float64)})
    loaders = TabularDataLoaders.from_df(
        frame, y_names="salary", cat_names=list(CATEGORIES), cont_names=list(NUMBERS),
        procs=[Categorify, FillMissing, Normalize], bs=BATCH,
    )  # fmt: skip
    learn = tabular_learner(loaders, layers=LAYERS)
    row = frame.iloc[5]

    def predict() -> Any:
        with learn.no_bar(), learn.no_logging():
            return learn.predict(row)

    return predict


if __name__ == "__main__":
    main()
