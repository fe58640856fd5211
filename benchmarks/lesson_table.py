"""The lesson's run on Adult, its nine columns and settings, beside fastai: what the nets reach, and how fast.

Trained on the official training rows, measured on the official test rows; settings are the lesson's, none was chosen.
Times are CPU seconds on one thread, a validation after every epoch among them for both.
"""

import numpy as np

from _common import Report, arguments, cpu_clock, installed, mean_sd, parse, spread, times

CATEGORIES = ["workclass", "education", "marital-status", "occupation", "relationship", "race"]
NUMBERS = ["age", "fnlwgt", "education-num"]
TARGET = "salary"
LAYERS, EPOCHS, LR, BATCH = [200, 100], 3, 1e-2, 64
LEAST_RATIO = 20.0
MEASURES = {"accuracy": 1, "AUC": 1, "log-loss": -1}  # whether more is better


def main() -> None:
    parser = arguments(__doc__, seeds=3, data=False)
    parser.add_argument("--preset", choices=("lesson", "modern"), default="lesson", help="dialect of ours")
    args = parse(parser)
    settings = {"layers": LAYERS, "epochs": EPOCHS, "lr": LR, "batch": BATCH, "preset": args.preset}
    report = Report("lesson_table", args, seeds=args.seeds, threads=1, **settings)

    import torch

    import vectable as vt

    torch.set_num_threads(1)
    found = vt.datasets.load("adult")
    columns = [*CATEGORIES, *NUMBERS, TARGET]
    train, test = found.train.select(columns), found.test.select(columns)
    train = train.head(3000) if args.quick else train
    peer = installed("fastai")
    if not peer:
        report.missing("fastai")
    ours(train.head(300), test.head(10), args.preset, 0)  # nobody pays for first imports

    mine, theirs = [], []
    for seed in range(args.seeds):
        mine.append(ours(train, test, args.preset, seed))
        line = f"seed {seed}: vectable {mine[-1]['accuracy']:.4f} in {mine[-1]['fit']:.1f} CPU s"
        if peer:
            theirs.append(fastai(train, test, seed))
            line += f", fastai {theirs[-1]['accuracy']:.4f} in {theirs[-1]['fit']:.1f} CPU s"
        report.say(line)
    report.table([figures(report, who, runs) for who, runs in (("vectable", mine), ("fastai", theirs)) if runs])
    if peer:
        compare(report, mine, theirs)
    report.finish()


def ours(train, test, preset, seed):
    import polars as pl

    import vectable as vt

    with cpu_clock() as whole:
        data = vt.TableData.from_df(
            pl.concat([train, test]),
            TARGET,
            CATEGORIES,
            NUMBERS,
            procs=[vt.FillMissing, vt.Categorify, vt.Normalize],  # plain, as the lesson's
            valid_rows=np.arange(len(train), len(train) + len(test)),
            batch_size=BATCH,
        )
        learn = vt.tabular_learner(data, LAYERS, preset=preset, seed=seed, progress=False)
        with cpu_clock() as fit:
            learn.fit_one_cycle(EPOCHS, LR)
    return measured(*learn.get_preds(), fit(), whole())


def fastai(train, test, seed):
    import pandas as pd
    import polars as pl
    from fastai.data.block import CategoryBlock
    from fastai.metrics import accuracy
    from fastai.tabular.all import Categorify, FillMissing, Normalize, TabularDataLoaders, set_seed, tabular_learner

    frame = pd.DataFrame(pl.concat([train, test]).to_dict(as_series=False))
    set_seed(seed)
    with cpu_clock() as whole:
        data = TabularDataLoaders.from_df(
            frame,
            procs=[FillMissing, Categorify, Normalize],
            cat_names=CATEGORIES,
            cont_names=NUMBERS,
            y_names=TARGET,
            y_block=CategoryBlock(),
            valid_idx=list(range(len(train), len(frame))),
            bs=BATCH,
        )
        learn = tabular_learner(data, layers=LAYERS, metrics=accuracy)
        with cpu_clock() as fit, learn.no_bar(), learn.no_logging():
            learn.fit_one_cycle(EPOCHS, LR)
    with learn.no_bar():
        return measured(*learn.get_preds(), fit(), whole())


def measured(probabilities, target, fit, whole):
    """Figures of probabilities of two classes, (rows, 2), whose targets are 0 or 1."""
    from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

    second, truth = probabilities[:, 1].numpy().astype(np.float64), target.numpy().ravel()
    return {
        "accuracy": accuracy_score(truth, second > 0.5),
        "AUC": roc_auc_score(truth, second),
        "log-loss": log_loss(truth, second),
        "fit": fit,
        "whole": whole,
    }


def figures(report, who, runs):
    found = {key: spread(run[key] for run in runs) for key in (*MEASURES, "fit", "whole")}
    report.result(who, found)
    row = {"": who} | {key: mean_sd(found[key]) for key in MEASURES}
    return row | {"fit, CPU s": times(found["fit"], digits=1), "data and fit, CPU s": times(found["whole"], digits=1)}


def compare(report, mine, theirs):
    """Ratios of times and differences of errors, seed by seed."""
    ratio = spread(b["fit"] / a["fit"] for a, b in zip(mine, theirs, strict=True))
    report.result("times_as_fast", ratio)
    report.target("times as fast as fastai (median over seeds)", ratio["median"], at_least=LEAST_RATIO)
    for measure, sign in MEASURES.items():
        ahead = [sign * (a[measure] - b[measure]) for a, b in zip(mine, theirs, strict=True)]
        winner = "vectable" if np.mean(ahead) > 0 else "fastai"
        report.conclude(f"By {measure} {winner} wins: vectable's is {np.mean(ahead):+.4f} better, seed by seed.")
        if measure != "AUC":
            report.target(f"vectable's {measure} better than fastai's by", float(np.mean(ahead)), at_least=0.0)


if __name__ == "__main__":
    main()
