"""Training in several processes: the same result for any number of them, and as in one that has everything."""

import json
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
import torch

import vectable as vt
from commands import good, sentence, vectable
from sharded_training import EPOCHS, FACTORS, LR, learner
from torchrun import torchrun, torchrun_command
from vectable.data.tensors import TensorSet
from vectable.distributed.world import World
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.training.engines.compiled_engine import CompiledEngine
from vectable.training.schedules import one_cycle_schedule

PROGRAM = "tests/sharded_training.py"


def ratings(n_rows=20_000, n_users=1_000, n_items=180, seed=0):
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, n_users, n_rows), (n_items * rng.random(n_rows) ** 2).astype(int)
    of_users, of_items = rng.normal(size=(n_users, 3)), rng.normal(size=(n_items, 3))
    stars = (
        3.5
        + of_users[users, 0]
        + of_items[items, 0]
        + of_users[users, 1] * of_items[items, 1]
        + 0.3 * rng.normal(size=n_rows)
    )
    frame = pl.DataFrame({"user": users, "item": items, "rating": np.clip(np.round(stars), 1, 5)})
    return frame.unique(["user", "item"], maintain_order=True)


@pytest.fixture(scope="module")
def lanes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lanes")
    ratings().write_parquet(folder / "ratings.parquet")
    vt.encode_lanes(folder / "ratings.parquet", folder / "lanes", 8)
    return folder / "lanes"


def trained(lanes, **how):
    learn = learner(lanes, **{"window": 8, **how})
    return learn.fit_one_cycle(EPOCHS, LR)


def vectors(folder, of):
    frame = pl.concat([pl.read_parquet(file) for file in sorted(folder.glob(f"{of}-*.parquet"))]).sort("id")
    return np.column_stack([np.array(frame["factors"].to_list()), frame["bias"].to_numpy()])


def test_one_process_trains_as_the_compiled_engine_does_on_the_same_batches(lanes):
    sharded = trained(lanes)
    data = sharded.data
    whole = EmbeddingDotBias(data.lanes.n_users + 1, data.lanes.n_items + 1, FACTORS, sharded.model.y_range)
    whole.load_state_dict(learner(lanes, window=8).model.state_dict())
    engine = CompiledEngine(whole, eps=1e-5, wd=0.1, threads=1)
    engine.begin(one_cycle_schedule(sharded.session.options.dialect.cycle, EPOCHS * data.n_steps, LR))
    rows = TensorSet(data.train.inputs, data.train.target)
    for epoch in range(EPOCHS):
        with sharded.session.seeded(0, epoch) as rng:
            losses = np.concatenate(list(engine.run(data.plan(rng), rows)))
        engine.sync_weights()
    assert np.allclose(losses, sharded.recorder.losses[-len(losses) :], rtol=1e-6)
    for name, values in whole.state_dict().items():
        torch.testing.assert_close(sharded.model.state_dict()[name][1:], values[1:], rtol=0, atol=1e-7)
    assert not any(values[0].any() for values in sharded.model.state_dict().values())  # nobody's row
    assert sharded.validate()["rmse"] < 0.98 * float(data.valid.target.std())


def test_batches_do_not_depend_on_the_number_of_processes(lanes):
    """Which ratings, by the ids of user and item, are in each step."""

    def batches(size, window):
        steps = {}
        for rank in range(size):
            shard = vt.RatingsShard(lanes, World(rank, size), batch_size=500, window=window)
            users = pl.concat([shard.user_ids(lane) for lane in shard.own_lanes]).to_numpy()
            plan = shard.plan(np.random.default_rng(3))
            for number, first, last in plan.windows:
                of_users, items, stars = shard.train.window(number)
                for step in range(first, last):
                    rows = plan.order[plan.starts[step] : plan.stops[step]]
                    found = zip(
                        users[of_users[rows] - 1].tolist(), items[rows].tolist(), stars[rows].tolist(), strict=True
                    )
                    steps.setdefault(step, []).extend(found)
            totals = plan.totals
        assert [len(steps[step]) for step in range(len(totals))] == totals.tolist()
        return [sorted(steps[step]) for step in range(len(totals))]

    for window in (None, 4):
        one = batches(1, window)
        assert one == batches(2, window) == batches(4, window)
        assert sum(map(len, one)) == len(ratings()) - int(0.1 * len(ratings()))
        assert max(map(len, one)) < 520
    assert batches(1, 4) != batches(1, None)


def test_windows_are_read_from_the_disk_and_train_as_well(lanes):
    whole, windows = trained(lanes), trained(lanes, window=2)
    assert len(windows.data.train.inputs[0]) == 0
    assert len(windows.data.train) == len(whole.data.train)
    assert windows.validate()["rmse"] == pytest.approx(whole.validate()["rmse"], abs=0.05)
    assert windows.validate()["rmse"] != whole.validate()["rmse"]


def test_the_same_rows_are_held_out_as_of_whole_ratings(lanes):
    whole, shard = vt.RatingsData.from_whole_lanes(lanes), learner(lanes, window=8).data
    assert len(whole.valid_ratings) == len(shard.valid) == int(0.1 * len(ratings()))
    assert whole.valid_ratings.rating.tolist() == shard.valid.target.tolist()
    assert whole.rating_range == shard.rating_range
    assert whole.n_items == (shard.item_counts > 0).sum()
    assert whole.n_users == (shard.user_counts > 0).sum()


@pytest.mark.slow
def test_any_number_of_processes_comes_to_the_same(lanes, tmp_path):
    runs = {size: torchrun(size, PROGRAM, lanes, tmp_path / str(size)) for size in (1, 2)}
    here = trained(lanes)
    assert runs[1]["rmse"] == here.validate()["rmse"]
    assert runs[2]["rmse"] == pytest.approx(runs[1]["rmse"], abs=1e-8)
    assert np.allclose(runs[2]["losses"], runs[1]["losses"], atol=1e-6)
    for of in ("users", "items"):
        one, two = (vectors(tmp_path / str(size) / "vectors", of) for size in (1, 2))
        assert np.abs(one - two).max() < 1e-6
    assert runs[2]["rows"]["items"] == 90
    assert runs[2]["rows"]["users"] < 0.6 * here.data.lanes.n_users
    assert runs[1]["bytes"] == 0
    assert runs[2]["bytes"] == pytest.approx(bytes_of(here, 2), rel=0.01)
    # The saved model is an ordinary folder, and answers as the processes did.
    learn = vt.load_learner(tmp_path / "2" / "model")
    assert learn.validate()["rmse"] == pytest.approx(runs[2]["rmse"], abs=1e-6)
    assert learn.recorder.losses.tolist() == runs[2]["losses"]
    lists = pl.concat([pl.read_parquet(file) for file in sorted((tmp_path / "2" / "lists").glob("*.parquet"))])
    assert lists["user"].n_unique() == learn.data.n_users
    users = sorted(lists["user"].unique())[:40]
    for user in users:
        mine, theirs = lists.filter(user=user), learn.recommend(user, 5)
        assert mine["prediction"].to_numpy() == pytest.approx(theirs["prediction"].to_numpy(), abs=1e-4)


def bytes_of(learn, size):
    """What process 0 sends: for each batch the numbers and gradients of items elsewhere, and the rows of its own."""
    data, sent = learn.data, 0
    row = 4 * (FACTORS + 1)
    block = -(-data.lanes.n_items // size)
    lane_of = np.searchsorted(data.user_starts, np.arange(data.lanes.n_users) + 1) - 1
    for epoch in range(EPOCHS):
        with learn.session.seeded(0, epoch) as rng:
            plan = data.plan(rng)
        users, items, _ = data.train.window(0)
        for step in range(len(plan)):
            rows = plan.order[plan.starts[step] : plan.stops[step]]
            home, owner = lane_of[users[rows] - 1] % size, (items[rows] - 1) // block
            wanted = np.unique(items[rows][(home == 0) & (owner != 0)]).size
            given = np.unique(np.column_stack([home, items[rows]])[(home != 0) & (owner == 0)], axis=0).shape[0]
            sent += wanted * (4 + row) + given * row
    return sent


@pytest.mark.slow
def test_a_state_of_two_processes_is_taken_up_by_one_and_by_three(lanes, tmp_path):
    undisturbed = trained(lanes).validate()["rmse"]
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(AssertionError, match="SIGKILL"):
        torchrun(2, PROGRAM, lanes, tmp_path / "out", checkpoint, 5, "1:20")
    assert not list(checkpoint.rglob("*.metadata"))
    kept = [file.name for file in sorted(checkpoint.rglob("*")) if file.is_file()]
    assert kept == ["about.json", "process-00000.safetensors", "process-00001.safetensors", "latest"]
    for size in (1, 3):
        copy = tmp_path / f"copy-{size}"
        shutil.copytree(checkpoint, copy)
        found = torchrun(size, PROGRAM, lanes, tmp_path / str(size), copy, 5)
        assert found["rmse"] == pytest.approx(undisturbed, abs=1e-8)
        again = torchrun(size, PROGRAM, lanes, tmp_path / str(size), copy, 5)  # finished: nothing is trained
        assert {**again, "bytes": 0} == {**found, "bytes": 0}


@pytest.mark.slow
def test_killed_workers_are_started_again_and_end_in_the_same_bits(lanes, tmp_path):
    whole = torchrun(2, PROGRAM, lanes, tmp_path / "whole", tmp_path / "a", 5)
    killed = torchrun(2, PROGRAM, lanes, tmp_path / "killed", tmp_path / "b", 5, "1:13,0:9", restarts=4)
    assert {**killed, "bytes": 0} == {**whole, "bytes": 0}
    for of in ("users", "items"):
        assert (vectors(tmp_path / "whole" / "vectors", of) == vectors(tmp_path / "killed" / "vectors", of)).all()


def test_what_several_processes_do_not_do_is_said(lanes, tmp_path):
    data = vt.RatingsData.from_lanes(lanes, window=8)
    with pytest.raises(vt.VectableError, match="one dot-product model"):
        vt.collab_learner(data, use_nn=True)
    with pytest.raises(vt.VectableError, match="another optimizer"):
        vt.collab_learner(data, opt="sgd")
    with pytest.raises(vt.VectableError, match="sharded engine, and engine='compiled'"):
        vt.collab_learner(data, engine="compiled")
    with pytest.raises(vt.VectableError, match="keeps no callbacks"):
        vt.collab_learner(data).fit_one_cycle(1, callbacks=[vt.EarlyStopping()], checkpoint=tmp_path / "a")
    with pytest.raises(vt.DataError, match="8 lanes, too few for 9 processes"):
        vt.RatingsShard(lanes, World(0, 9))
    whole = vt.RatingsData.from_whole_lanes(lanes)
    with pytest.raises(vt.VectableError, match="torchrun has started, and these ratings are in one"):
        vt.collab_learner(whole, engine="sharded", progress=False).fit_one_cycle(1)


def test_a_checkpoint_of_another_training_is_refused(lanes, tmp_path):
    learner(lanes, window=8).fit_one_cycle(1, LR, checkpoint=tmp_path / "a")
    with pytest.raises(vt.ArtifactError, match="number of epochs is 1 there and 2 here"):
        learner(lanes, window=8).fit_one_cycle(2, LR, checkpoint=tmp_path / "a", resume=True)
    done = learner(lanes, window=8).fit_one_cycle(1, LR, checkpoint=tmp_path / "a", resume=True)
    assert done.validate() == learner(lanes, window=8).fit_one_cycle(1, LR).validate()
    file = next((tmp_path / "a").rglob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(vt.ArtifactError, match="cannot be read"):
        learner(lanes, window=8).fit_one_cycle(1, LR, checkpoint=tmp_path / "a", resume=True)


@pytest.mark.slow
def test_the_command_trains_in_several_processes(lanes, tmp_path):
    out = tmp_path / "model"
    options = ["--distributed", "--factors", 4, "--epochs", 1, "--batch-size", 1024, "--json", "-o", out]
    writes = ["--checkpoint", tmp_path / "keep", "--write-lists", tmp_path / "lists", "-q"]
    command = ["vectable", "train", "ratings", lanes, *options, *writes]
    done = subprocess.run(torchrun_command(2, "-m", *command), capture_output=True, text=True, timeout=240, check=True)
    said = json.loads(done.stdout)
    assert said["processes"] == 2
    assert vt.load_learner(out).validate()["rmse"] == pytest.approx(said["rmse"], abs=1e-6)
    assert len(list((tmp_path / "lists").glob("*.parquet"))) == 8
    assert (tmp_path / "keep" / "latest").is_file()


@pytest.mark.slow
def test_the_command_trains_on_lanes_in_one_process(lanes, tmp_path):
    good(vectable("train", "ratings", lanes, "--epochs", 1, "--no-ranking", "-q", "-o", tmp_path / "whole"))
    how = ["--window", 2, "--epochs", 1, "--batch-size", 1024, "--json", "-q", "-o", tmp_path / "windows"]
    said = json.loads(good(vectable("train", "ratings", lanes, *how)).stdout)
    assert said["processes"] == 1
    assert vt.load_learner(tmp_path / "windows").validate()["rmse"] == pytest.approx(said["rmse"], abs=1e-6)


@pytest.mark.slow
def test_the_command_says_what_it_does_not_do(lanes, tmp_path):
    for options, said in (
        (["--distributed"], "torchrun --nproc-per-node 2"),
        (["--window", 2, "--n-models", 2], "--n-models goes neither with"),
        (["--window", 2, "--method", "bayes"], "--method gradient"),
        (["--write-lists", tmp_path / "lists"], "--write-lists belongs to"),
        (["--split", "time"], "--split random is all"),
    ):
        assert said in sentence(vectable("train", "ratings", lanes, "-o", tmp_path / "model", *options))
