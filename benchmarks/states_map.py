"""What a net that predicts Rossmann's sales learned of Germany's states, of the week and of the year.

The seven columns and vectors' widths of Guo & Berkhahn (2016), all rows, three nets. The states' vectors are held
against the distances between the states (Mantel's test), and drawn with those of the weekdays and the months.
"""

import numpy as np

from _common import Report, arguments, cpu_clock, parse
from _rossmann import sales
from entity_embeddings import WIDTHS, columns

LAYERS, EPOCHS, LR, WD, BATCH = [500, 250], 3, 3e-3, 0.3, 1024
CAPITALS = {  # latitude and longitude of each state's capital; of Lower Saxony with Bremen, Hanover's
    "BE": (52.52, 13.41),
    "BW": (48.78, 9.18),
    "BY": (48.14, 11.58),
    "HB,NI": (52.37, 9.74),
    "HE": (50.08, 8.24),
    "HH": (53.55, 9.99),
    "NW": (51.23, 6.78),
    "RP": (50.00, 8.27),
    "SH": (54.32, 10.12),
    "SN": (51.05, 13.74),
    "ST": (52.13, 11.63),
    "TH": (50.98, 11.03),
}


def main() -> None:
    parser = arguments(__doc__, seeds=3)
    parser.add_argument("--plots", metavar="DIR", help="folder for the pictures")
    args = parse(parser)
    report = Report("states_map", args, nets=args.seeds, layers=LAYERS, epochs=EPOCHS, lr=LR, wd=WD, batch=BATCH)

    import torch

    import vectable as vt
    from vectable.insight import distance_test, distances_between, great_circle

    torch.set_num_threads(1)
    table = columns()
    table = table.sample(20_000, seed=0) if args.quick else table
    data = vt.TableData.from_df(table, "log_sales", list(WIDTHS), [], valid_pct=0.0, batch_size=BATCH)
    learn = vt.tabular_learner(
        data, LAYERS, emb_widths=WIDTHS, metrics=[], wd=WD, n_models=args.seeds, seed=0, progress=False
    )
    with cpu_clock() as seconds:
        learn.fit_one_cycle(EPOCHS, LR)
    report.say(f"trained in {seconds():.0f} CPU seconds")

    states = learn.categories("state")
    over_ground = great_circle(*zip(*(CAPITALS[state] for state in states), strict=True))
    vectors = learn.weight("state")
    of = "distance between the capitals, km"
    together = distance_test(vectors, over_ground, of=of)
    each = [distance_test(one, over_ground, of=of) for one in np.split(vectors, args.seeds, axis=1)]
    report.result("all nets side by side", {"r": together.r, "p": together.p_value, "states": len(states)})
    report.result("each net", [{"r": one.r, "p": one.p_value} for one in each])
    upper = np.triu_indices(len(states), 1)
    apart = [distances_between(one)[upper] for one in np.split(vectors, args.seeds, axis=1)]
    if args.seeds > 1:
        alike = np.corrcoef(apart)[np.triu_indices(args.seeds, 1)].mean()
        report.result("correlation of two nets' distances", float(alike))
        report.say(f"Distances of two nets correlate with r {alike:.2f} in the mean.")
    report.say(f"All nets side by side: {together}. Each: {'; '.join(str(one) for one in each)}.")
    report.conclude(
        f"The states' vectors {'do' if together.p_value < 0.05 else 'do not'} follow the distances between the states: "
        f"{together}."
    )
    shares = sales()["state"].value_counts(normalize=True).rows()
    report.result("shares of the rows", dict(shares))
    if args.plots:
        learn.embedding_map("state", path=f"{args.plots}/states.png")
        together.plot(f"{args.plots}/states_mantel.png")
        for column in ("weekday", "month"):
            learn.embedding_map(column, path=f"{args.plots}/{column}s.png", order=True)
    report.finish()


if __name__ == "__main__":
    main()
