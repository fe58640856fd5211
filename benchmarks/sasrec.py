"""SASRec with sampled softmax for a few epochs on a CPU: MovieLens 1M, the last interaction of every user.

This is not a converged model: published figures (NDCG@10 .168 with sampled softmax) take 100 to 200 epochs. It shows
that the validation rises above popularity, what an epoch costs, and what the linear model reaches in seconds.
"""

import io
import re

from _common import Report, arguments, cpu_clock, parse
from next_item import movielens

EPOCHS = 20


def main() -> None:
    args = parse(arguments(__doc__))
    from rich.console import Console

    import vectable as vt

    data = movielens(args.quick)
    report = Report("sasrec", args, epochs=2 if args.quick else EPOCHS)
    report.say(repr(data))
    lines = io.StringIO()
    options = {"epochs": 2 if args.quick else EPOCHS, "device": "cpu"}
    learn = vt.next_item_learner(data, "sasrec", sasrec=options, progress=Console(file=lines))
    with cpu_clock() as cpu:
        learn.fit()
    curve = [float(value) for value in re.findall(r"epoch \d+: (\d\.\d+)", lines.getvalue())]
    report.result("validation ndcg@10 by epoch", curve)
    report.result("CPU seconds an epoch, validation included", cpu() / len(curve))
    report.table([{"epoch": str(at + 1), "validation NDCG@10": f"{value:.4f}"} for at, value in enumerate(curve)])
    report.say(f"{cpu() / len(curve):.1f} CPU s an epoch, validation included.")
    linear = vt.next_item_learner(data, progress=False).fit()
    valid = vt.evaluate({"sasrec": learn, "linear": linear}, data, k=10, part="valid")
    found = vt.evaluate({"sasrec": learn, "linear": linear}, data, k=10)
    report.result("test", found.to_frame().to_dicts())
    report.table(
        [
            {"model": row["model"], "validation": f"{valid.mean(row['model'], 'ndcg@10'):.4f}",
             "test NDCG@10": f"{row['ndcg@10']:.4f}"}
            for row in found.to_frame().to_dicts()
        ]
    )  # fmt: skip
    best = max(valid.mean(name, "ndcg@10") for name in ("popularity", "recent popularity"))
    report.target("validation NDCG@10 beside the better popularity's", curve[-1] / best, at_least=1.0)
    report.conclude(f"Not converged after {len(curve)} epochs: published figures take 100 to 200 of them.")
    report.finish()


if __name__ == "__main__":
    main()
