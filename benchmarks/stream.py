"""A table of ten million made-up rows: one epoch from Parquet in blocks, beside the same with all of it in memory.

The table (ten categories of up to 1,000 values, ten numbers with holes, a date, two classes) is made in a process of
its own and written to a temporary folder; each way of training is a process of its own, whose peak of resident memory
(VmHWM) counts from its start, imports and all. Both hold the same rows out, fit the same encoders, and take as many
steps; they differ in the order of the rows alone.
"""

import tempfile
from pathlib import Path

from _common import Report, arguments, parse
from scale import child

MOST_BYTES = 2e9


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--rows", type=int, help="default 10,000,000; 200,000 with --quick")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--block-rows", type=int, help="rows read at a time (default 131,072; 10,000 with --quick)")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up table and of the start")
    parser.add_argument("--folder", type=Path, help="where to write the table (default: a temporary folder)")
    parser.add_argument("--blocks-alone", action="store_true", help="without the run in memory")
    args = parse(parser)
    args.rows = args.rows or (200_000 if args.quick else 10_000_000)
    args.block_rows = args.block_rows or (10_000 if args.quick else 1 << 17)
    settings = {"rows": args.rows, "batch": args.batch, "block_rows": args.block_rows, "seed": args.seed}
    report = Report("stream", args, **settings)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        words = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        made = child("_stream_child.py", "make", folder, *words)
        report.result("made", made)
        report.say(", ".join(f"{key} {value:,.4g}" for key, value in made.items()))
        ways = ["blocks"] if args.blocks_alone else ["blocks", "memory"]
        found = {way: child("_stream_child.py", way, folder, *words) for way in ways}
    report.result("ways", found)
    report.table([row(way, one) for way, one in found.items()])
    blocks = found["blocks"]
    report.target("GB resident at the peak, in blocks", blocks["peak_bytes"] / 1e9, at_most=MOST_BYTES / 1e9)
    if "memory" in found:
        memory = found["memory"]
        report.conclude(
            f"In blocks the peak is {blocks['peak_bytes'] / memory['peak_bytes']:.0%} of that in memory, and an epoch "
            f"takes {blocks['training_seconds'] / memory['training_seconds']:.2f} times as long."
        )
    report.finish()


def row(way: str, one: dict) -> dict[str, str]:
    return {
        "": {"blocks": "in blocks", "memory": "in memory"}[way],
        "MB imported": f"{one['imported_bytes'] / 1e6:,.0f}",
        "peak MB, encoders fitted": f"{one['peak_reading_bytes'] / 1e6:,.0f}",
        "peak MB in all": f"{one['peak_bytes'] / 1e6:,.0f}",
        "s to fit the encoders": f"{one['reading_seconds']:.1f}",
        "s an epoch": f"{one['training_seconds']:.1f}",
        "rows a second": f"{one['training_rows'] / one['training_seconds']:,.0f}",
        "accuracy": f"{one['accuracy']:.4f}",
        "log loss": f"{one['log_loss']:.4f}",
    }


if __name__ == "__main__":
    main()
