"""Notes that are added to a saved folder: its model stays, and notes of a save that was replaced are not kept."""

import pytest

import vectable as vt
from vectable.artifact import add_settings, count_weights, read_manifest, read_one_table


@pytest.fixture
def folder(trained, tmp_path):
    return trained.save(tmp_path / "model")


def test_settings_are_added_and_the_model_is_the_same(folder, trained):
    before = read_manifest(folder)
    assert add_settings(folder, before, measured={"rmse": 1.5}, beats_baselines=True)
    after = read_manifest(folder)
    assert after["settings"] == {**before["settings"], "measured": {"rmse": 1.5}, "beats_baselines": True}
    assert after["files"] == before["files"]
    assert vt.load_learner(folder, progress=False).validate() == trained.validate()
    assert {one.name for one in folder.iterdir()} == {
        "vectable.json",
        *(one["file"] for one in after["files"].values()),
    }


def test_nothing_is_added_where_another_save_came_between(folder, trained):
    before = read_manifest(folder)
    trained.save(folder)
    now = read_manifest(folder)
    assert not add_settings(folder, before, measured={})
    assert read_manifest(folder) == now


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(vt.ArtifactError, match="not a saved model"):
        add_settings(tmp_path, {}, measured={})


def test_a_table_and_the_number_of_weights_without_loading(folder, trained):
    assert read_one_table(folder, "epochs")[-1]["epochs"][-1]["rmse"] == trained.recorder.to_frame()["rmse"][-1]
    assert read_one_table(folder, "nothing") is None
    assert count_weights(folder) == sum(one.numel() for one in trained.model.state_dict().values())
