"""Saved models: what comes back is what was saved, whatever happens while saving; anything else is refused."""

import ast
import hashlib
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

import vectable as vt
from vectable import artifact, loading
from vectable.artifact import MANIFEST, Contents, read_folder, read_manifest, write_folder

CRASHES = [OSError(28, "No space left on device"), MemoryError(), KeyboardInterrupt()]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 1200
    user, item = rng.integers(0, 50, n), rng.integers(0, 30, n)
    rating = np.clip(np.round(3 + rng.normal(0, 0.7, 50)[user] + rng.normal(0, 0.7, 30)[item]), 1, 5)
    items = [f"Ünïcode “{i}” 本" for i in item]
    frame = pl.DataFrame({"who": user, "what": items, "stars": rating, "when": np.arange(n)})
    return frame.unique(["who", "what"], maintain_order=True)


@pytest.fixture(scope="module")
def data(table):
    return vt.RatingsData.from_df(table, timestamp="when")


@pytest.fixture
def learner(data):
    """Makes learners for the same ratings."""
    return lambda **how: vt.collab_learner(data, **{"n_factors": 6, "progress": False, **how})


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A trained learner and the folder that it was saved to: for tests that only read."""
    learn = vt.collab_learner(data, n_factors=6, progress=False).fit_one_cycle(1, 5e-3)
    return learn, learn.save(tmp_path_factory.mktemp("trained") / "model")


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of the saved folder to do damage to."""
    import shutil

    return Path(shutil.copytree(trained[1], tmp_path / "copy"))


def load(path, **how):
    return vt.load_learner(path, progress=False, **how)


def weights(learn):
    return {name: value.clone() for name, value in learn.model.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def sign(manifest, folder):
    """Write a manifest as a stranger would who knows the format: with a checksum that is right."""
    manifest.pop("sha256", None)
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
    signed = {**manifest, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps(signed), encoding="utf-8")


def manifest_of(folder):
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def named_in(folder):
    """The files that a folder is to hold: its manifest and what that names."""
    return {MANIFEST, *(entry["file"] for entry in manifest_of(folder)["files"].values())}


def refusal(path, **how):
    """The sentence with which loading is refused."""
    with pytest.raises(vt.ArtifactError) as caught:
        load(path, **how)
    sentence = str(caught.value)
    assert sentence.endswith((".", ")."))
    assert "\n" not in sentence
    return sentence


# ---------------------------------------------------------------- what was saved comes back

KINDS = {
    "dot": {},
    "no range": {"y_range": None},
    "lesson": {"preset": "lesson"},
    "net": {"use_nn": True, "layers": [12, 8], "dropout": 0.2},
    "ensemble": {"n_models": 3},
    "ensemble of nets": {"n_models": 2, "use_nn": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_answers_bit_for_bit_as_before(learner, table, tmp_path, kind):
    learn = learner(**KINDS[kind]).fit_one_cycle(1, 5e-3)
    back = load(learn.save(tmp_path / "model"))
    assert type(back) is type(learn)
    assert_same(weights(back), weights(learn))
    pairs = table.select("who", "what")
    assert_array_equal(back.predict(pairs), learn.predict(pairs))
    assert back.validate() == learn.validate()
    assert back.recommend(7).equals(learn.recommend(7))
    what = table["what"][0]
    assert back.similar(what).equals(learn.similar(what))
    assert back.fold_in({what: 5}).recommend(5).equals(learn.fold_in({what: 5}).recommend(5))
    assert repr(back.data) == repr(learn.data)
    assert back.recorder.to_frame().equals(learn.recorder.to_frame())
    assert_array_equal(back.recorder.losses, learn.recorder.losses)
    assert_array_equal(back.recorder.lrs, learn.recorder.lrs)


@pytest.mark.parametrize("preset", ["modern", "lesson"])
@pytest.mark.parametrize(
    "how",
    [{"engine": "compiled"}, {"engine": "sgd"}, {"engine": "torch"}, {"use_nn": True, "dropout": 0.1}, {"n_models": 2}],
    ids=["compiled", "sgd", "torch", "net", "ensemble"],
)
def test_training_goes_on_as_if_it_had_never_been_saved(learner, tmp_path, how, preset):
    straight = learner(preset=preset, **how).fit_one_cycle(2, 5e-3).fit(1, 1e-3).fit_one_cycle(1, 5e-3)
    path = learner(preset=preset, **how).fit_one_cycle(2, 5e-3).save(tmp_path / "model")
    path = load(path).fit(1, 1e-3).save(path)  # saved over itself, in between
    resumed = load(path).fit_one_cycle(1, 5e-3)
    assert_same(weights(resumed), weights(straight))
    assert [len(run.losses) for run in resumed.recorder.runs] == [len(run.losses) for run in straight.recorder.runs]
    assert_array_equal(resumed.recorder.losses, straight.recorder.losses)
    assert resumed.epochs_done == straight.epochs_done == 4


def test_update_after_loading_equals_update_without(learner, tmp_path):
    more = pl.DataFrame({"who": [1, 99], "what": ["new", "new"], "stars": [5.0, 1.0]})
    straight = learner().fit(1, 5e-3)
    back = load(straight.save(tmp_path / "model"))
    assert_same(weights(back.update(more)), weights(straight.update(more)))
    assert load(back.save(tmp_path / "model")).data.n_users == straight.data.n_users


def test_training_on_over_a_learner_of_the_same_shape(learner, tmp_path):
    straight = learner().fit(1, 5e-3)
    path = straight.save(tmp_path / "model")
    other = learner(seed=7).fit(1, 1e-2)
    assert other.load(path) is other
    assert_same(weights(other), weights(straight))
    assert other.recommend(7).equals(straight.recommend(7))
    assert len(other.recorder.runs) == 1


def test_a_model_that_was_never_trained(learner, tmp_path):
    learn = learner()
    back = load(learn.save(tmp_path / "model"))
    assert_same(weights(back), weights(learn))
    assert back.recorder.runs == []
    assert_same(weights(back.fit(1, 5e-3)), weights(learn.fit(1, 5e-3)))


def test_side_tables_titles_times_and_kind_of_frame_come_back(table, tmp_path):
    pandas = pytest.importorskip("pandas")
    items = pandas.DataFrame({"what": table["what"].unique(maintain_order=True).to_list()})
    items["name"] = [f"Name\t{at}\n" for at in range(len(items))]
    users = pandas.DataFrame({"who": range(50), "age": [None, *range(1, 50)]})
    frame = pandas.DataFrame(table.to_dict(as_series=False))
    data = vt.RatingsData.from_df(frame, timestamp="when", title="name", items=items, users=users)
    learn = vt.collab_learner(data, n_factors=3, progress=False).fit(1, 5e-3)
    back = load(learn.save(tmp_path / "model"))
    assert isinstance(back.recommend(3), pandas.DataFrame)
    assert back.recommend(3).equals(learn.recommend(3))
    assert back.data.titles.equals(data.titles)
    assert back.data.item_table.equals(data.item_table)
    assert back.data.user_table.equals(data.user_table)
    assert_array_equal(back.data.train_ratings.time, data.train_ratings.time)
    assert back.data.columns == data.columns


def test_settings_given_as_numpy_numbers_are_saved(table, tmp_path):
    data = vt.RatingsData.from_df(table, batch_size=np.int64(32))
    learn = vt.collab_learner(data, n_factors=np.int64(4), seed=np.int64(3), wd=np.float32(0.25), progress=False)
    back = load(learn.fit(1, 5e-3).save(tmp_path / "model"))
    assert (back.seed, back.wd, back.data.batch_size) == (3, 0.25, 32)


@pytest.mark.parametrize("name", ["with spaces in it", "模型 é", "deep/er/still", "dot.ted"])
def test_any_path_will_do(trained, tmp_path, name):
    learn, _ = trained
    path = learn.save(str(tmp_path / name))
    assert_same(weights(load(str(path))), weights(learn))


def test_others_may_read_what_is_saved(trained):
    assert {file.stat().st_mode & 0o777 for file in trained[1].iterdir()} == {
        (trained[1] / MANIFEST).stat().st_mode & 0o777
    }


# ---------------------------------------------------------------- a module of your own


def own_module():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))


@pytest.fixture(scope="module")
def own_data():
    x = np.random.default_rng(0).normal(size=(300, 5))
    y = (x.sum(1) > 0).astype(int)
    return vt.TensorData.from_arrays(x[:200], y[:200], x[200:], y[200:], bs=32)


def own_learner(data, opt="adam"):
    return vt.Learner(
        data, own_module(), loss_func=nn.CrossEntropyLoss(), metrics=["accuracy"], opt=opt, progress=False
    )


@pytest.mark.parametrize("opt", ["adam", "sgd", "momentum", "rmsprop"])
def test_a_module_of_your_own(own_data, tmp_path, opt):
    learn = own_learner(own_data, opt).fit(1, 1e-2)
    path = learn.save(tmp_path / "own")
    back = load(path, model=own_module(), data=own_data)
    assert type(back) is vt.Learner
    assert isinstance(back.loss_func, nn.CrossEntropyLoss)
    for one, other in zip(back.get_preds(), learn.get_preds(), strict=True):
        assert torch.equal(one, other)
    assert back.validate() == learn.validate()
    assert_same(weights(back.fit_one_cycle(1, 1e-2)), weights(learn.fit_one_cycle(1, 1e-2)))


def test_a_module_of_your_own_needs_the_module(own_data, tmp_path):
    path = own_learner(own_data).fit(1, 1e-2).save(tmp_path / "own")
    assert "load_learner(path, model=Sequential(...))" in refusal(path)
    assert "there and None here." in refusal(path, model=nn.Identity(), data=own_data)


def test_another_shape_is_refused_and_nothing_changes(learner, trained, own_data, tmp_path):
    for other in (learner(n_factors=7), learner(use_nn=True), learner(n_models=2), own_learner(own_data)):
        before = weights(other)
        with pytest.raises(vt.ArtifactError, match=r"The saved model is another: .* there,? and .* here"):
            other.load(trained[1])
        assert_same(weights(other), before)


# ---------------------------------------------------------------- saving over something


def test_saving_twice_leaves_only_current_files(learner, tmp_path):
    learn = learner().fit(1, 5e-3)
    path = learn.save(tmp_path / "model")
    first = set(os.listdir(path))
    learn.fit(1, 5e-3).save(path)
    second = set(os.listdir(path))
    assert len(first) == len(second)
    assert first & second == {MANIFEST}
    assert second == named_in(path)
    assert_same(weights(load(path)), weights(learn))


def test_a_strangers_file_stays(trained, copy):
    strangers = ["notes.txt", "ratings-20240115.json", "weights.safetensors", "plot.png", "Weights-0.json"]
    for name in strangers:
        (copy / name).write_text("mine")
    (copy / "folder-0123456789abcdef").mkdir()
    trained[0].save(copy)
    assert [(copy / name).read_text() for name in strangers] == ["mine"] * len(strangers)
    assert (copy / "folder-0123456789abcdef").is_dir()


@pytest.mark.parametrize(
    "content",
    [
        {"notes.txt": "mine"},
        {MANIFEST: '{"format": "something else"}'},
        {MANIFEST: "[1, 2]"},
        {MANIFEST: "half a"},
        {MANIFEST: "[" * 100_000},
    ],
    ids=["no manifest", "foreign manifest", "a list", "broken", "deep"],
)
def test_a_folder_that_is_something_else_is_never_overwritten(trained, tmp_path, content):
    folder = tmp_path / "precious"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    with pytest.raises(vt.ArtifactError, match=r"precious' exists and is not a saved model; choose another name\."):
        trained[0].save(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == content


def test_a_file_and_a_place_below_a_file_are_refused(trained, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(vt.ArtifactError, match="exists and is not a saved model"):
        trained[0].save(file)
    with pytest.raises(vt.ArtifactError, match=r"cannot be saved to .*: '.*file' cannot be written to\."):
        trained[0].save(file / "model")
    assert file.read_text() == "mine"


def test_a_place_that_cannot_be_written(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(artifact.os, "access", lambda *_: False)  # the tests may run as root, who may do anything
    with pytest.raises(vt.ArtifactError, match=r"The model cannot be saved to '.*model': '.*' cannot be written to\."):
        trained[0].save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_used(trained, tmp_path):
    assert_same(weights(load(trained[0].save(tmp_path))), weights(trained[0]))


# ---------------------------------------------------------------- crashes


def crash_at(monkeypatch, module, name, call, crash):
    """Let a function fail at its so-many-eth call."""
    whole, calls = getattr(module, name), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise crash
        return whole(*args, **kwargs)

    monkeypatch.setattr(module, name, failing)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: type(crash).__name__)
@pytest.mark.parametrize(
    ("what", "call"),
    [("save", 1), ("save", 3), ("dumps", 1), ("fsync", 2), ("fsync", 6), ("replace", 1)],
)
def test_a_crash_while_saving_leaves_the_old_model_and_nothing_else(learner, tmp_path, monkeypatch, what, call, crash):
    import safetensors.torch

    old = learner().fit(1, 5e-3)
    path = old.save(tmp_path / "model")
    before = sorted(os.listdir(path))
    new = learner().fit(2, 5e-3)
    home = {"save": safetensors.torch, "dumps": json}.get(what, os)
    with monkeypatch.context() as patched:
        crash_at(patched, home, what, call, crash)
        with pytest.raises(vt.ArtifactError if isinstance(crash, OSError) else type(crash)) as caught:
            new.save(path)
    if isinstance(crash, OSError):
        assert str(caught.value) == f"The model cannot be saved to {str(path)!r}: No space left on device."
    assert sorted(os.listdir(path)) == before
    assert_same(weights(load(path)), weights(old))
    new.save(path)
    assert_same(weights(load(path)), weights(new))
    assert set(os.listdir(path)) == named_in(path)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: type(crash).__name__)
def test_a_crash_while_removing_the_old_model_leaves_the_new_one(learner, tmp_path, monkeypatch, crash):
    path = learner().fit(1, 5e-3).save(tmp_path / "model")
    new = learner().fit(2, 5e-3)
    with monkeypatch.context() as patched:
        crash_at(patched, Path, "unlink", 1, crash)
        if isinstance(crash, OSError):
            with pytest.warns(vt.VectableWarning, match="is saved to .*; files of the last save could not be removed"):
                new.save(path)
        else:
            with pytest.raises(type(crash)):
                new.save(path)
    assert_same(weights(load(path)), weights(new))
    new.save(path)
    assert set(os.listdir(path)) == named_in(path)


def test_a_crash_in_the_first_save_leaves_no_folder(trained, tmp_path, monkeypatch):
    path = tmp_path / "deep" / "model"
    with monkeypatch.context() as patched:
        crash_at(patched, os, "replace", 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            trained[0].save(path)
    assert list(tmp_path.iterdir()) == []
    assert_same(weights(load(trained[0].save(path))), weights(trained[0]))


def test_what_a_killed_first_save_left_does_not_block_the_second(trained, tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights-0123456789abcdef.safetensors").write_bytes(b"half")
    assert refusal(path) == f"{str(path)!r} is not a saved model: it holds no {MANIFEST}."
    assert_same(weights(load(trained[0].save(path))), weights(trained[0]))
    assert set(os.listdir(path)) == named_in(path)


def script(text, *args):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), *map(str, args)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_killed_again_and_again_while_saving(tmp_path):
    told = script(
        """
        import os, random, signal, sys, time
        import torch
        from vectable.artifact import Contents, read_folder, write_folder

        def contents(value):
            tensors = {name: {"rows": torch.full((20_000,), float(value))} for name in ("weights", "optimizer")}
            return Contents("ratings", {"value": value}, tensors, {"titles": [value] * 5_000})

        torch.set_num_threads(1)
        path, seen = sys.argv[1], []
        started = time.perf_counter()
        write_folder(path, contents(0))
        took = time.perf_counter() - started
        random.seed(0)
        for turn in range(1, 41):
            child = os.fork()
            if child == 0:
                value = turn * 1000
                while True:
                    write_folder(path, contents(value))
                    value += 1
            time.sleep(random.uniform(0, 4 * took))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            found = read_folder(path)
            value = found.settings["value"]
            assert all(bool((one["rows"] == value).all()) for one in found.tensors.values()), value
            assert found.tables == {"titles": [value] * 5_000}
            seen.append(value)
        assert seen == sorted(seen)
        write_folder(path, contents(7))
        print(len(set(seen)), len(os.listdir(path)))
        """,
        tmp_path / "model",
    )
    different, files = map(int, told.split())
    assert different > 3
    assert files == 4


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_model(tmp_path):
    pytest.importorskip("resource")
    told = script(
        """
        import resource, sys
        import torch
        from vectable.artifact import Contents, read_folder, write_folder
        from vectable.errors import ArtifactError

        def save(n):
            write_folder(sys.argv[1], Contents("ratings", {"n": n}, {"weights": {"rows": torch.ones(n)}}, {}))

        save(10)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            save(1_000_000)
        except ArtifactError as problem:
            print(problem)
        print(read_folder(sys.argv[1]).settings["n"])
        """,
        tmp_path / "model",
    )
    sentence, n = told.splitlines()
    assert sentence == f"The model cannot be saved to '{tmp_path / 'model'}': File too large."
    assert n == "10"


# ---------------------------------------------------------------- damage


def files_of(folder):
    return sorted({entry["file"] for entry in manifest_of(folder)["files"].values()})


NAMES = ["weights", "optimizer", "history", "ratings", "epochs", "vocabularies", "titles", "side_tables"]


def test_the_folder_holds_what_the_tests_damage(trained):
    assert [name.rsplit("-", 1)[0] for name in files_of(trained[1])] == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_damage_to_any_file_is_noticed(copy, name):
    file = next(copy.glob(f"{name}-*"))
    whole = file.read_bytes()
    for at in {0, len(whole) // 2, len(whole) - 1}:
        flipped = bytearray(whole)
        flipped[at] ^= 1
        file.write_bytes(flipped)
        assert f"{file.name}' is damaged: it is not, byte for byte, what was saved" in refusal(copy)
    for length in {0, len(whole) // 2, len(whole) - 1}:
        file.write_bytes(whole[:length])
        assert f"({len(whole):,} bytes then, {length:,} now)" in refusal(copy)
    file.unlink()
    assert f"is incomplete: its file {file.name} is missing." in refusal(copy)
    file.mkdir()
    assert f"is incomplete: its file {file.name} is missing." in refusal(copy)
    file.rmdir()
    file.write_bytes(whole)
    load(copy)


def test_a_flipped_byte_of_the_manifest_is_noticed_wherever_it_is(copy):
    file = copy / MANIFEST
    whole = file.read_bytes()
    for at in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[at] ^= 1
        file.write_bytes(flipped)
        with pytest.raises(vt.ArtifactError):
            read_manifest(copy)
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        with pytest.raises(vt.ArtifactError, match=rf"{MANIFEST}' cannot be read \(.*\)\. Restore it or train again\."):
            read_manifest(copy)


@pytest.mark.parametrize("text", ["", "not json", "[" * 100_000, b"\xff\xfe\x00", '{"format": "vectable"'])
def test_a_manifest_that_is_no_json(copy, text):
    (copy / MANIFEST).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert f"{MANIFEST}' cannot be read (" in refusal(copy)


@pytest.mark.parametrize("foreign", [[], {}, {"format": "other"}, "text", None, 3])
def test_a_manifest_of_something_else(copy, foreign):
    (copy / MANIFEST).write_text(json.dumps(foreign))
    assert f"is not a saved model of vectable: its {MANIFEST} is something else's." in refusal(copy)


@pytest.mark.parametrize("version", [4, 99, "2", 1.5, None, [1]])
def test_a_newer_format_is_told(copy, version):
    manifest = manifest_of(copy)
    sign(manifest | {"format_version": version, "versions": {"vectable": "9.9"}}, copy)
    sentence = refusal(copy)
    assert f"has format version {version!r}" in sentence
    assert sentence.endswith("it was saved by a newer one (vectable 9.9). Upgrade vectable.")


@pytest.mark.parametrize("key", ["format", "format_version", "kind", "saved", "versions", "settings", "files"])
def test_a_manifest_without_one_of_its_keys(copy, key):
    manifest = manifest_of(copy)
    del manifest[key]
    sign(manifest, copy)
    refusal(copy)


def without(copy, inside, key):
    """Take a key out of a part of the manifest."""
    manifest = manifest_of(copy)
    del manifest[inside][key]
    sign(manifest, copy)


def test_a_manifest_that_names_no_file_of_a_kind(copy):
    whole = manifest_of(copy)
    for key in whole["files"]:
        without(copy, "files", key)
        assert "missing" in refusal(copy)
        sign(whole, copy)


def test_options_that_an_older_folder_lacks_have_their_defaults(trained, copy):
    whole = manifest_of(copy)
    needed = {"model", "loss_func", "layer_groups", "config", "n_models", "data"}
    assert needed < whole["settings"].keys()
    for key in whole["settings"]:
        without(copy, "settings", key)
        if key in needed:
            assert f"settings.{key} is missing" in refusal(copy)
        else:
            assert_same(weights(load(copy)), weights(trained[0]))
        sign(whole, copy)
    for key in needed ^ whole["settings"].keys():
        without(copy, "settings", key)
    back = load(copy)
    assert (back.wd, back.preset.name, back.seed, back.epochs_done) == (0.01, "modern", 42, 0)
    assert_same(weights(back), weights(trained[0]))


@pytest.mark.parametrize(
    "entry",
    [{}, [], "weights", {"file": 3}, {"file": "x"}, {"file": MANIFEST, "bytes": "many"}],
    ids=str,
)
def test_a_manifest_with_a_broken_entry(copy, entry):
    manifest = manifest_of(copy)
    manifest["files"]["weights"] = entry
    sign(manifest, copy)
    refusal(copy)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "../copy/x", "a/../../b", "..", ".", ""])
def test_a_manifest_cannot_reach_outside_of_its_folder(copy, name):
    manifest = manifest_of(copy)
    manifest["files"]["titles"]["file"] = name
    sign(manifest, copy)
    sentence = refusal(copy)
    assert "outside itself and is not read." in sentence or "is missing." in sentence


@pytest.mark.parametrize("kind", ["tabular", "os:system", "vectable.ratings.collab", "__main__", ""])
def test_an_unknown_kind(copy, kind):
    manifest = manifest_of(copy)
    sign(manifest | {"kind": kind}, copy)
    assert refusal(copy) == (
        f"{str(copy)!r} holds a model of kind {kind!r}; this program loads {list(loading.LOADERS)}."
    )


def test_a_model_class_that_is_not_ours(copy):
    manifest = manifest_of(copy)
    manifest["settings"]["model"] = "Popen"
    sign(manifest, copy)
    refusal(copy)


def test_a_name_of_no_model_and_the_models_beside_it(trained, tmp_path):
    assert refusal(tmp_path / "none") == f"There is no saved model at {str(tmp_path / 'none')!r}."
    beside = trained[1].with_name("modle")
    assert refusal(beside).endswith(f"Saved models there: {str(trained[1])!r}.")
    assert refusal(trained[1].parent).endswith(f"it holds no {MANIFEST}. Saved models there: {str(trained[1])!r}.")
    assert refusal(Path(__file__)) == f"{__file__!r} is not a saved model: it holds no {MANIFEST}."


# ---------------------------------------------------------------- nothing is executed


class _Trap:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("suffix", [".safetensors", ".json", ".pkl", ".pt"])
def test_a_pickle_in_the_folder_is_not_unpickled(copy, tmp_path, suffix):
    marker = tmp_path / "executed"
    trap = copy / f"weights{suffix}"
    trap.write_bytes(pickle.dumps(_Trap(marker)))
    manifest = manifest_of(copy)
    manifest["files"]["weights"] = {
        "file": trap.name,
        "bytes": trap.stat().st_size,
        "sha256": hashlib.sha256(trap.read_bytes()).hexdigest(),
    }
    sign(manifest, copy)
    refusal(copy)
    assert not marker.exists()


def test_every_file_is_safetensors_or_json(learner, own_data, tmp_path):
    from safetensors import safe_open

    own = own_learner(own_data).fit(1, 1e-2).save(tmp_path / "own")
    for folder in (learner(n_models=2).fit(1, 5e-3).save(tmp_path / "several"), own):
        for file in folder.iterdir():
            if file.suffix == ".safetensors":
                with safe_open(file, "numpy") as opened:
                    opened.keys()
            else:
                assert file.suffix == ".json"
                json.loads(file.read_text(encoding="utf-8"))


def test_the_package_knows_no_pickle():
    """The reader of the lesson's own executes nothing of it: tests/test_pickled_digits.py.

    Nothing is compiled or evaluated, but that the package reads its own list of public names as a tree, and that the
    judge of exercises runs the file that it is asked to judge.
    """
    runs = {"public_names.py": {"compile"}, "judge.py": {"compile", "exec"}}
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "copyreg", "runpy", "yaml"}
    for file in Path(artifact.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [one.name.split(".")[0] for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").split(".")[0]]
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                dangerous = {"eval", "exec", "compile", "__import__", "torch.load", "np.load"}
                assert called not in dangerous - runs.get(file.name, set()), file
            allowed = {"pickle"} if file.name == "pickled_digits.py" else set()
            assert not banned & set(names) - allowed, file


def test_contents_survive_as_they_are(tmp_path):
    contents = Contents(
        "ratings",
        {"text": "é“本”\u2028", "none": None, "number": 0.1 + 0.2, "nested": {"list": [1, [2]]}},
        {"weights": {"empty": torch.zeros(0, 3), "scalar": torch.tensor(3), "view": torch.arange(6.0)[::2]}},
        {"titles": ["a\tb\nc", None, ""]},
    )
    back = read_folder(write_folder(tmp_path / "model", contents))
    assert back.settings == contents.settings
    assert back.tables == contents.tables
    assert_same(back.tensors["weights"], contents.tensors["weights"])
