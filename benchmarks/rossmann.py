"""Six weeks of Rossmann's sales, with the lesson's features and net: root mean squared percentage error.

The last 42 days are held out, and the recipe was taken as it stands: nothing was chosen by them here. Seconds are CPU
seconds of training on one thread.
"""

import numpy as np

from _common import Report, arguments, cpu_clock, mean_sd, parse, spread, times
from _rossmann import CATEGORIES, NUMBERS, lesson_table

DAYS = 42
LAYERS, EPOCHS, LR, WD, BATCH = [500, 250], 5, 3e-3, 1.2, 1024
MOST_ERROR, MOST_ERROR_OF_MEAN, MOST_SECONDS = 0.110, 0.106, 180.0


def main() -> None:
    args = parse(arguments(__doc__, seeds=3))
    report = Report("rossmann", args, seeds=args.seeds, layers=LAYERS, epochs=EPOCHS, lr=LR, wd=WD, batch=BATCH)

    import torch

    torch.set_num_threads(1)
    table = lesson_table()
    table = table.tail(120_000) if args.quick else table
    days = table["date"].rank("dense").to_numpy()
    held_out = np.flatnonzero(days > days.max() - DAYS)
    report.say(f"{len(table) - len(held_out):,} training rows, {len(held_out):,} held out")
    truth = table["sales"].to_numpy()[held_out]

    runs, predictions = [], []
    for seed in range(args.seeds):
        predicted, seconds = train(table, held_out, seed, 1 if args.quick else EPOCHS)
        runs.append({"error": error(predicted, truth), "seconds": seconds})
        predictions.append(predicted)
        report.say(f"seed {seed}: {runs[-1]['error']:.4f} in {seconds:.0f} CPU seconds")
    errors, seconds = (spread(run[key] for run in runs) for key in ("error", "seconds"))
    together = error(np.mean(predictions, axis=0), truth)
    report.result("one net", {"error": errors, "seconds": seconds})
    report.result("mean of the nets", {"error": together})
    report.table(
        [
            {"": "one net", "error": mean_sd(errors), "CPU s": times(seconds, digits=0)},
            {"": f"mean of {args.seeds}", "error": f"{together:.4f}", "CPU s": f"{sum(seconds['values']):.0f}"},
        ]
    )
    report.target("mean error of one net", errors["mean"], at_most=MOST_ERROR)
    report.target(f"error of the mean of {args.seeds}", together, at_most=MOST_ERROR_OF_MEAN)
    report.target("CPU seconds a net, the most", seconds["max"], at_most=MOST_SECONDS)
    report.finish()


def train(table, held_out, seed, epochs):
    """Sales predicted for the rows held out, and the seconds of training."""
    import vectable as vt

    data = vt.TableData.from_df(
        table,
        "sales",
        CATEGORIES,
        NUMBERS,
        valid_rows=held_out,
        log_target=True,
        batch_size=BATCH,
    )
    highest = np.log1p(data.target.high[0])
    y_range = (0, np.expm1(1.2 * highest))  # the log's range, in units of sales
    learn = vt.tabular_learner(data, LAYERS, y_range=y_range, wd=WD, metrics=[], seed=seed, progress=False)
    with cpu_clock() as seconds:
        learn.fit_one_cycle(epochs, LR)
    outputs, _ = learn.get_preds()
    return data.target.decode(outputs.numpy()), seconds()


def error(predicted, truth):
    """Root of the mean squared percentage error, as a share."""
    return float(np.sqrt(np.mean(((truth - predicted) / truth) ** 2)))


if __name__ == "__main__":
    main()
