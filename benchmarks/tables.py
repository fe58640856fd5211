"""Tables by everybody's defaults: vectable beside LightGBM, HistGradientBoosting and CatBoost.

Root mean squared errors and log-losses of test rows that no default was chosen on, mean ± standard deviation of splits,
and CPU seconds of `fit` on one thread, from the frame to the trained model. `_table_sets.py` says what is predicted.
"""

import os
import statistics

import numpy as np

from _common import Report, arguments, cpu_clock, installed, parse, spread

US = "vectable"
BEHIND_RMSE, BEHIND_LOSS = 1.02, 0.005  # how far behind CatBoost we may be


def main() -> None:
    parser = arguments(__doc__, seeds=3)
    parser.add_argument("--only", help="names of sets, separated by '|'")
    args = parse(parser)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    report = Report("tables", args, splits=args.seeds, threads=1)
    import torch

    from _table_sets import CASES

    torch.set_num_threads(1)
    contenders = {US: ours}
    for peer, module, run in (
        ("LightGBM", "lightgbm", lightgbm),
        ("HistGradientBoosting", "sklearn", hist_gradient_boosting),
        ("CatBoost", "catboost", catboost),
    ):
        if installed(module):
            contenders[peer] = run
        else:
            report.missing(peer)
    names = args.only.split("|") if args.only else list(CASES)
    if args.quick:
        names = [name for name in names if CASES[name].rows <= 2_000]
    rows = []
    for name in names:
        case = CASES[name]
        if why := case.missing():
            report.say(f"{name} is left out: {why}.")
            continue
        found = {who: [] for who in contenders}
        for seed in range(args.seeds):
            train, test = case.split(seed)
            for who, run in contenders.items():
                found[who].append(run(case, train, test, seed))
        rows.append(figures(report, name, case, found))
        report.say(" | ".join(f"{key} {value}" for key, value in rows[-1].items() if value))
        judge(report, name, case, found)
    report.table(rows)
    report.finish()


def error(case, truth, predicted, classes=None):
    """Log-loss, or root mean squared error."""
    if not case.classes:
        return float(np.sqrt(np.mean((np.asarray(predicted, dtype=float) - truth) ** 2)))
    places = {value: at for at, value in enumerate(classes)}
    at = [places[value] for value in truth]
    return float(-np.log(np.clip(predicted[np.arange(len(at)), at], 1e-12, 1)).mean())


def split(case, frame):
    return frame.drop(case.target), frame[case.target].to_numpy()


def ours(case, train, test, seed):
    import vectable as vt

    model = (vt.TabularClassifier if case.classes else vt.TabularRegressor)(random_state=seed)
    return measured(case, model, split(case, train), split(case, test))


def measured(case, model, train, test, **how):
    with cpu_clock() as seconds:
        model.fit(*train, **how)
    spent = seconds()
    if case.classes:
        return error(case, test[1], model.predict_proba(test[0]), list(model.classes_)), spent
    return error(case, test[1], model.predict(test[0])), spent


def pandas(frame):
    """A polars frame as a pandas frame, text and dates made what trees take: categories, and days since 1970."""
    import pandas as pd
    import polars as pl

    dates = [name for name, dtype in frame.schema.items() if dtype.is_temporal()]
    frame = frame.with_columns(pl.col(dates).cast(pl.Int32)) if dates else frame
    return pd.DataFrame(frame.to_dict(as_series=False))


def categories(frame):
    return [name for name in frame if frame[name].dtype.kind not in "iufb"]


def as_categories(train, test):
    texts = categories(train)
    train = train.astype(dict.fromkeys(texts, "category"))
    return train, test.astype({name: train[name].dtype for name in texts})


def lightgbm(case, train, test, seed):
    from lightgbm import LGBMClassifier, LGBMRegressor

    (x, y), (x_test, y_test) = split(case, train), split(case, test)
    x, x_test = as_categories(pandas(x), pandas(x_test))
    model = (LGBMClassifier if case.classes else LGBMRegressor)(random_state=seed, n_jobs=1, verbose=-1)
    return measured(case, model, (x, y), (x_test, y_test))


def hist_gradient_boosting(case, train, test, seed):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    (x, y), (x_test, y_test) = split(case, train), split(case, test)
    x, x_test = pandas(x), pandas(x_test)
    many = [name for name in categories(x) if x[name].nunique() > 250]  # of which it takes no more: as numbers
    for name in many:
        order = {value: at for at, value in enumerate(sorted(x[name].dropna().unique()))}
        x[name], x_test[name] = x[name].map(order).astype(float), x_test[name].map(order).astype(float)
    x, x_test = as_categories(x, x_test)
    kind = HistGradientBoostingClassifier if case.classes else HistGradientBoostingRegressor
    return measured(case, kind(random_state=seed, categorical_features="from_dtype"), (x, y), (x_test, y_test))


def catboost(case, train, test, seed):
    from catboost import CatBoostClassifier, CatBoostRegressor

    (x, y), (x_test, y_test) = split(case, train), split(case, test)
    x, x_test = pandas(x), pandas(x_test)
    texts = categories(x)
    x[texts], x_test[texts] = (one[texts].astype(object).fillna("missing").astype(str) for one in (x, x_test))
    kind = CatBoostClassifier if case.classes else CatBoostRegressor
    model = kind(random_seed=seed, thread_count=1, verbose=False, cat_features=texts, allow_writing_files=False)
    return measured(case, model, (x, y), (x_test, y_test))


# ---------------------------------------------------------------- what came out


def figures(report, name, case, found):
    row = {"table": name, "rows": f"{case.rows:,}", "of": "log-loss" if case.classes else "RMSE"}
    best = min(statistics.fmean(error for error, _ in runs) for runs in found.values())
    for who, runs in found.items():
        errors, seconds = spread(error for error, _ in runs), spread(seconds for _, seconds in runs)
        report.result(f"{name}: {who}", {"error": errors, "seconds": seconds})
        mean, sd = (f"{one:#.4g}" for one in (errors["mean"], errors["sd"] or 0))
        mark = "**" if errors["mean"] == best else ""
        row[who] = f"{mark}{mean}{mark} ± {sd} ({seconds['median']:.1f} s)"
    return row


def judge(report, name, case, found):
    errors = {who: statistics.fmean(error for error, _ in runs) for who, runs in found.items()}
    seconds = {who: statistics.median(spent for _, spent in runs) for who, runs in found.items()}
    for peer in ("LightGBM", "HistGradientBoosting"):
        if peer in errors:
            report.target(f"{name}: error beside {peer}'s", errors[US] / errors[peer], at_most=1.0)
    if "CatBoost" in errors:
        if case.classes:
            report.target(f"{name}: log-loss beyond CatBoost's", errors[US] - errors["CatBoost"], at_most=BEHIND_LOSS)
        else:
            report.target(f"{name}: error beside CatBoost's", errors[US] / errors["CatBoost"], at_most=BEHIND_RMSE)
        report.target(f"{name}: CPU seconds beside CatBoost's", seconds[US] / seconds["CatBoost"], at_most=1.0)


if __name__ == "__main__":
    main()
