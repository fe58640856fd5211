"""The lesson's run: ml-100k, a random tenth held out, 5 epochs, 40 factors, beside fastai on the same splits.

Both see the same rows in the same split, batches of 64, weight decay .1, y_range (0, 5.5) and one cycle up to 5e-3.
The first run that compiles is not counted; what a user waits for after that is. fastai gets one torch thread, with
which it is fastest here: its batches are too small to share out, and two threads on a busy machine wait for each other.
"""

import warnings

import numpy as np

from _common import (
    BATCH,
    EPOCHS,
    LESSON,
    LR,
    Report,
    arguments,
    clock,
    installed,
    load,
    mean_sd,
    parse,
    spread,
    times,
    warm_up,
)

MOST_ERROR, LEAST_RATIO = 0.805, 60


def main() -> None:
    parser = arguments(__doc__, seeds=10)
    parser.add_argument(
        "--peer-seeds", type=int, help="seeds for fastai, which takes its time (default 3; 0 with --quick)"
    )
    parser.add_argument(
        "--item", choices=["title", "id"], default="title", help="what an item is; the lesson takes titles"
    )
    parser.add_argument("--fastai-threads", type=int, default=1, help="torch threads while fastai trains (default 1)")
    parser.add_argument("--preset", choices=["modern", "lesson"], default="modern")
    args = parse(parser)
    peer_seeds = args.peer_seeds if args.peer_seeds is not None else (0 if args.quick else 3)

    report = Report("lesson_run", args, preset=args.preset, item=args.item, epochs=EPOCHS, lr=LR, batch=BATCH, **LESSON)
    report.result("fastai_threads", args.fastai_threads)
    ratings, names = read(args.item)
    peer = installed("fastai")
    if not peer:
        report.missing("fastai")
    elif not peer_seeds:
        report.say("fastai: installed, left out of this run (--peer-seeds).")
    import torch

    import vectable as vt

    warnings.simplefilter("ignore", vt.VectableWarning)  # films that share a title make pairs rated twice
    threads = torch.get_num_threads()
    warm_up()

    ours, theirs = [], []
    for seed in range(args.seeds):
        order = np.random.default_rng(seed).permutation(len(ratings))
        valid, train = order[: len(order) // 10], order[len(order) // 10 :]
        ours.append(run_ours(ratings[train], ratings[valid], names, args.preset, seed))
        line = f"seed {seed}: vectable MSE {ours[-1]['mse']:.4f}, fit {ours[-1]['fit']:.2f} s"
        if peer and seed < peer_seeds:
            torch.set_num_threads(args.fastai_threads)
            theirs.append(run_fastai(ratings, train, valid, names, seed))
            torch.set_num_threads(threads)
            line += f"; fastai MSE {theirs[-1]['mse']:.4f}, fit {theirs[-1]['fit']:.2f} s"
        report.say(line)

    rows = [figures(report, "vectable", ours)]
    report.result("baselines_mse", {k: spread(o["baselines"][k] for o in ours) for k in ours[0]["baselines"]})
    if theirs:
        rows.append(figures(report, "fastai", theirs))
    report.table(rows)
    for name, found in report.found["results"]["baselines_mse"].items():
        report.say(f"Baseline, {name}: validation MSE {mean_sd(found)}.")
    report.target("mean validation MSE", report.found["results"]["vectable"]["mse"]["mean"], at_most=MOST_ERROR)
    if theirs:
        compare(report, ours, theirs)
    report.finish()


def read(item):
    """The ratings as (user, item, rating) and the names of these columns."""
    found = load("ml-100k")
    ratings, names = found.ratings, [found.user, found.item, found.rating]
    if item == "title":
        if "title" not in ratings.columns:
            ratings = ratings.join(
                found.items.select(found.item, "title"), on=found.item, how="left", maintain_order="left"
            )
        names[1] = "title"
    return ratings.select(names), names


def run_ours(train, valid, names, preset, seed):
    import vectable as vt

    user, item, rating = names
    with clock() as whole:
        data = vt.RatingsData.from_splits(train, valid, user=user, item=item, rating=rating, batch_size=BATCH)
        learn = vt.collab_learner(data, **LESSON, preset=preset, seed=seed, progress=False)
        with clock() as fit:
            learn.fit_one_cycle(EPOCHS, LR)
    errors = learn.validate()
    baselines = {name: found["valid_loss"] for name, found in errors["baselines"].items()}
    return {"mse": errors["valid_loss"], "fit": fit(), "whole": whole(), "baselines": baselines}


def run_fastai(ratings, train, valid, names, seed):
    import pandas as pd
    from fastai.collab import TabularCollab, collab_learner
    from fastai.data.block import TransformBlock
    from fastai.tabular.core import Categorify
    from fastai.torch_core import set_seed

    user, item, rating = names
    frame = pd.DataFrame(ratings.to_dict(as_series=False))
    set_seed(seed)
    with clock() as whole:
        # What CollabDataLoaders.from_df does, with the rows of the split given.
        table = TabularCollab(
            frame,
            [Categorify],
            [user, item],
            y_names=[rating],
            y_block=TransformBlock(),
            splits=(list(train), list(valid)),
        )
        learn = collab_learner(table.dataloaders(bs=BATCH), **LESSON)
        with clock() as fit, learn.no_bar(), learn.no_logging():
            learn.fit_one_cycle(EPOCHS, LR)
    return {"mse": float(learn.recorder.values[-1][1]), "fit": fit(), "whole": whole()}


def figures(report, who, runs):
    """Keep the figures of one library; its row of the table."""
    found = {key: spread(run[key] for run in runs) for key in ("mse", "fit", "whole")}
    report.result(who, found)
    return {
        "": who,
        "seeds": str(len(runs)),
        "validation MSE": mean_sd(found["mse"]),
        "fit, s": times(found["fit"]),
        "data and fit, s": times(found["whole"]),
    }


def compare(report, ours, theirs):
    """Ratio of times and difference of errors, seed by seed."""
    pairs = list(zip(ours, theirs, strict=False))
    ratio = {key: spread(b[key] / a[key] for a, b in pairs) for key in ("fit", "whole")}
    better = spread(b["mse"] - a["mse"] for a, b in pairs)
    report.result("times_as_fast", ratio)
    report.result("mse_lower_by", better)
    report.target("times as fast as fastai (median over seeds)", ratio["fit"]["median"], at_least=LEAST_RATIO)
    faster = "faster" if ratio["fit"]["median"] > 1 else "slower"
    lower = "lower" if better["mean"] > 0 else "higher"
    report.conclude(
        f"Over {len(pairs)} splits vectable trains {times(ratio['fit'], digits=1)} times as fast as fastai ({faster}; "
        f"{times(ratio['whole'], digits=1)} with the data made), and its validation MSE is "
        f"{abs(better['mean']):.4f} {lower}."
    )


if __name__ == "__main__":
    main()
