"""One measurement of training in several processes, started by torchrun or alone; prints JSON. `sharded.py` and
`kill_workers.py` start it.

make: write made-up ratings as Parquet and encode them as lanes.
train: train on the lanes in all processes; with --checkpoint keep checkpoints and continue from the last.
one: train on the same batches with the compiled engine of one process, one thread.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import polars as pl

import vectable as vt

LR = 5e-3


def make(args: argparse.Namespace) -> dict:
    """Stars from factors of users and items; items by a power law."""
    rng = np.random.default_rng(args.seed)
    users, items = rng.integers(0, args.users, args.rows), (args.items * rng.random(args.rows) ** 2).astype(np.int64)
    of_users, of_items = (rng.standard_normal((n, 4), dtype=np.float32) for n in (args.users, args.items))
    stars = 3.5 + 0.5 * (of_users[users] * of_items[items]).sum(1) + 0.5 * rng.standard_normal(args.rows)
    ratings = pl.DataFrame({"user": users, "item": items, "rating": np.clip(np.round(stars), 1, 5)})
    ratings.write_parquet(args.folder / "ratings.parquet")
    vt.encode_lanes(args.folder / "ratings.parquet", args.folder / "lanes", args.lanes)
    return {"rows": args.rows}


def learner(args: argparse.Namespace):
    data = vt.RatingsData.from_lanes(args.folder / "lanes", batch_size=args.batch, window=args.lanes)
    return vt.collab_learner(data, args.factors, progress=False)


def train(args: argparse.Namespace) -> dict:
    learn = learner(args)
    world = learn.data.world
    learn.session.prepare_engines()  # kernels loaded before the clock starts
    learn.validate()
    keep = {}
    if args.checkpoint:
        keep = {"checkpoint": vt.Checkpoint(args.checkpoint, steps=args.every), "resume": True}
    sent, cpu, wall = world.bytes_sent, time.process_time(), time.perf_counter()
    learn.fit_one_cycle(args.epochs, LR, **keep)
    cpu, wall, sent = time.process_time() - cpu, time.perf_counter() - wall, world.bytes_sent - sent
    measured_at = time.process_time()
    before = world.bytes_sent
    rmse = learn.validate()["rmse"]
    measuring, measured = time.process_time() - measured_at, world.bytes_sent - before
    mine = hashlib.sha256(b"".join(values.numpy().tobytes() for values in learn.model.state_dict().values()))
    digest = world.total(np.frombuffer(mine.digest()[:8], dtype=np.uint8).astype(np.int64) << world.rank)
    counts = world.total(np.array([sent - args.epochs * measured, len(learn.data.train)], dtype=np.int64))
    cpus = world.total(np.array([cpu - args.epochs * measuring]))
    most = world.highest(np.array([learn.data.n_users_here, learn.model.item_bias.num_embeddings - 1]))
    plan = learn.data.plan(np.random.default_rng(0))
    return {
        "rmse": rmse,
        "ratings": int(counts[1]) * args.epochs,
        "bytes": int(counts[0]),
        "formula": world.total(np.array([formula(learn, plan, args)]))[0] * args.epochs,
        "cpu_seconds": float(cpus[0]),
        "seconds": wall,
        "most_users": int(most[0]),
        "most_items": int(most[1]),
        "users": learn.data.lanes.n_users,
        "items": learn.data.lanes.n_items,
        "digest": [int(one) for one in digest],
        "first": world.rank == 0,
    }


def formula(learn, plan, args: argparse.Namespace) -> float:
    """Bytes of an epoch by the formula: items of a batch here x (4 + 2 x 4 x (factors + 1)) x (W - 1) / W."""
    size, unique = learn.data.world.size, 0
    _, items, _ = learn.data.train.window(0)
    for start, stop in zip(plan.starts, plan.stops, strict=True):
        unique += np.unique(items[plan.order[start:stop]]).size
    return unique * (4 + 8 * (args.factors + 1)) * (size - 1) / size


def one(args: argparse.Namespace) -> dict:
    from vectable.data.tensors import TensorSet
    from vectable.models.dot_bias import EmbeddingDotBias
    from vectable.training.engines.compiled_engine import CompiledEngine
    from vectable.training.schedules import one_cycle_schedule

    learn = learner(args)
    data = learn.data
    model = EmbeddingDotBias(data.lanes.n_users + 1, data.lanes.n_items + 1, args.factors, learn.model.y_range)
    model.load_state_dict(learn.model.state_dict())
    engine = CompiledEngine(model, eps=1e-5, wd=0.1, threads=1)
    rows = TensorSet(data.train.inputs, data.train.target)
    cpu = time.process_time()
    engine.begin(one_cycle_schedule(learn.session.options.dialect.cycle, args.epochs * data.n_steps, LR))
    for epoch in range(args.epochs):
        with learn.session.seeded(0, epoch) as rng:
            for _ in engine.run(data.plan(rng), rows):
                pass
        engine.sync_weights()
    cpu = time.process_time() - cpu
    learn.model.load_state_dict(model.state_dict())
    return {"rmse": learn.validate()["rmse"], "cpu_seconds": cpu, "first": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "train", "one"])
    parser.add_argument("folder", type=Path)
    for name in ("rows", "users", "items", "lanes", "factors", "batch", "epochs", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--every", type=int, default=5)
    args = parser.parse_args()
    found = {"make": make, "train": train, "one": one}[args.what](args)
    if found.pop("first", True):
        print(json.dumps(found))


if __name__ == "__main__":
    main()
