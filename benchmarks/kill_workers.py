"""A worker killed with SIGKILL at a random moment, again and again: is the result the same, bit for bit?

Two processes train on lanes and keep checkpoints. Each try kills one of them after a random time, counted from its
first checkpoint; torchrun starts both again, and the weights of each are compared with those of an undisturbed run.
"""

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from _common import Report, arguments, clock, parse, spread
from _torchrun import torchrun, torchrun_command, torchrun_variables
from scale import child

SIZES = {"rows": 2_000_000, "users": 100_000, "items": 10_000, "lanes": 16, "factors": 31, "batch": 8_192, "epochs": 2}
QUICK = {"rows": 100_000, "users": 3_000, "items": 500, "lanes": 8, "factors": 15, "batch": 1_024, "epochs": 2}
MOST_SECONDS = 300  # of a try, after which it counts as hung


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--tries", type=int, help="default 20; 1 with --quick")
    parser.add_argument("--seed", type=int, default=1)
    args = parse(parser)
    tries = args.tries or (1 if args.quick else 20)
    sizes = QUICK if args.quick else SIZES
    report = Report("kill_workers", args, tries=tries, **sizes)
    words = [f"--{name}={value}" for name, value in {**sizes, "seed": 1}.items()]
    rng, rows = random.Random(args.seed), []
    with tempfile.TemporaryDirectory() as folder:
        child("_sharded_child.py", "make", folder, *words)
        with clock() as seconds:
            whole = torchrun(2, "_sharded_child.py", "train", folder, *words, f"--checkpoint={folder}/whole")
        undisturbed = seconds()
        for number in range(tries):
            found = killed(Path(folder), number, words, rng, whole["seconds"])
            rows.append({**found, "same": found.pop("digest") == whole["digest"]})
            print(rows[-1], flush=True)
    report.result("tries", rows)
    resumed = [row["resumed_after"] for row in rows if row["resumed_after"] is not None]
    report.result("undisturbed_seconds", undisturbed)
    report.result("resumed_after", spread(resumed))
    report.target("tries that end in the same bits", sum(row["same"] for row in rows), at_least=tries)
    report.target("seconds until training goes on, at most", max(resumed), at_most=60)
    report.finish()


def killed(folder: Path, number: int, words: list[str], rng: random.Random, seconds: float) -> dict:
    """One try: when and whom it killed, how long until the next checkpoint, and what came of it."""
    keep = folder / f"try-{number}"
    command = torchrun_command(2, "_sharded_child.py", "train", folder, *words, f"--checkpoint={keep}", restarts=3)
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=torchrun_variables()
    )
    latest, until = keep / "latest", time.monotonic() + MOST_SECONDS
    while not latest.is_file() and time.monotonic() < until:
        time.sleep(0.02)
    wait, which = rng.random() * seconds, rng.randrange(2)
    time.sleep(wait)
    workers = children(started.pid)
    resumed_after = None
    if which < len(workers):
        os.kill(workers[which], signal.SIGKILL)
        resumed_after = until_another(latest, until)
    try:
        said, _ = started.communicate(timeout=max(1.0, until - time.monotonic()))
        digest = json.loads(said.splitlines()[-1])["digest"] if started.returncode == 0 else None
    except subprocess.TimeoutExpired:
        started.send_signal(signal.SIGINT)
        started.wait()
        digest = None
    return {"killed_after": wait, "which": which, "resumed_after": resumed_after, "digest": digest}


def until_another(latest: Path, until: float) -> float:
    """Seconds until a checkpoint is written that was not there when this was called."""
    began, before = time.monotonic(), latest.read_text()
    while time.monotonic() < until and latest.read_text() == before:
        time.sleep(0.02)
    return time.monotonic() - began


def children(parent: int) -> list[int]:
    """Numbers of a process's children that run the script, by rank."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return sorted(int(number) for number in text.split())


if __name__ == "__main__":
    main()
