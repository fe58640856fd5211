"""`vectable train images`, and predict, info and insight of what it saved."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import vectable as vt
from commands import good, sentence, vectable

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs the extra vision"),
    pytest.mark.slow,
]

SMALL = ["--arch", "test_resnet", "--no-pretrained", "--size", "32", "--batch-size", "8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twelve red and twelve blue pictures a part, and a text that is called a picture."""
    top = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for name, channel in (("red", 0), ("blue", 2)):
            (top / part / name).mkdir(parents=True)
            for at in range(12):
                picture = rng.integers(0, 120, (40, 50, 3), dtype=np.uint8)
                picture[..., channel] += 100
                Image.fromarray(picture).save(top / part / name / f"{at:02}.png")
    (top / "train" / "red" / "text.jpg").write_text("no")
    return top


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """What `train images` answered, and the folder that it saved."""
    out = tmp_path_factory.mktemp("out")
    done = vectable(
        "train", "images", folder, "--valid", "val", *SMALL, "--lr", "1e-2", "-o", out / "model", "--plots",
        out / "plots", "--json",
    )  # fmt: skip
    return good(done), out / "model"


def test_train_images_saves_a_model_and_tells_what_it_left_out(trained):
    done, model = trained
    about = json.loads(done.stdout)
    assert Path(about["model"]) == model
    assert about["accuracy"] == 1.0
    assert "note: 1 files are left out" in done.stderr
    assert "text.jpg" in done.stderr
    assert "24 training and 24 validation photographs" in done.stderr
    for name in ("batch", "losses", "worst"):
        assert (model.parent / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_predict_names_the_class_of_each_photograph(trained, folder):
    red, blue = folder / "val" / "red" / "03.png", folder / "val" / "blue" / "04.png"
    done = good(vectable("predict", trained[1], red, blue))
    header, *rows = done.stdout.splitlines()
    assert header == "photograph,prediction,probability of blue,probability of red"
    assert [row.split(",")[:2] for row in rows] == [[str(red), "red"], [str(blue), "blue"]]
    expected = vt.load_learner(trained[1], progress=False).predict(red).probabilities
    assert float(rows[0].split(",")[3]) == pytest.approx(expected["red"], rel=1e-4)


def test_predict_of_a_folder_into_a_file_and_as_json(inside, trained, folder, tmp_path):
    good(inside("predict", trained[1], folder / "val" / "red", "-o", tmp_path / "red.parquet"))
    assert pl.read_parquet(tmp_path / "red.parquet")["prediction"].to_list() == ["red"] * 12
    rows = json.loads(good(inside("predict", trained[1], folder / "val" / "blue" / "00.png", "--json")).stdout)
    assert [row["prediction"] for row in rows] == ["blue"]


def test_predict_tells_what_is_no_photograph_and_predicts_the_rest(inside, trained, folder):
    text, red = folder / "train" / "red" / "text.jpg", folder / "val" / "red" / "03.png"
    done = inside("predict", trained[1], text, red)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert "text.jpg' is not an image" in done.stderr
    assert "text.jpg" in sentence(inside("predict", trained[1], text))


def test_info_of_a_model_of_photographs(inside, trained):
    about = json.loads(good(inside("info", trained[1], "--json")).stdout)
    assert about["kind"] == "images"
    assert about["settings"]["recipe"]["classes"] == ["blue", "red"]
    assert about["errors"]["accuracy"] == 1.0
    text = good(inside("info", trained[1])).stdout
    for part in ("test_resnet", "blue, red", "32 x 32", "5 epochs", "accuracy"):
        assert part in text


def test_insight_counts_confusions_and_names_the_worst(inside, trained, folder, tmp_path):
    how = ["--photographs", folder / "val", "-n", 3]
    found = json.loads(good(inside("insight", trained[1], *how, "--json")).stdout)
    assert [row["class"] for row in found["confusion"]] == ["blue", "red"]
    assert sum(row[name] for row in found["confusion"] for name in ("blue", "red")) == 24
    losses = [row["loss"] for row in found["worst"]]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 3
    text = good(inside("insight", trained[1], *how, "--plots", tmp_path / "plots")).stdout
    assert "Rows: the class" in text
    drawn = {one.stem for one in (tmp_path / "plots").iterdir()}
    assert drawn == {"worst", "confusion", "filters", "patches", "worst_class_map", "worst_similar"}


def test_similar_photographs(inside, refused, trained, folder, tmp_path):
    blue = folder / "val" / "blue" / "00.png"
    rows = json.loads(good(inside("similar", trained[1], blue, "--photographs", folder / "val", "--json")).stdout)
    assert len(rows) == 10
    assert str(blue) not in [row["photograph"] for row in rows]
    assert [row["class"] for row in rows].count("blue") >= 9
    good(inside("similar", trained[1], blue, "--photographs", folder / "val", "-n", 2, "-o", tmp_path / "two.csv"))
    assert pl.read_csv(tmp_path / "two.csv").columns == ["likeness", "class", "photograph"]
    assert "--photographs FOLDER" in refused("similar", trained[1], blue)
    assert "no file" in refused("similar", trained[1], "gone.png", "--photographs", folder / "val")


def test_train_from_a_table_of_photographs(inside, folder, tmp_path):
    names = [f"{part}/{name}/{at:02}.png" for part in ("train", "val") for name in ("red", "blue") for at in range(6)]
    table = pl.DataFrame({"file": names, "colour": [one.split("/")[1] for one in names], "held": [0] * 12 + [1] * 12})
    table.write_csv(tmp_path / "labels.csv")
    done = good(
        inside("train", "images", tmp_path / "labels.csv", "--folder", folder, "--valid", "held", *SMALL, "--epochs", 1,
               "--whole-epochs", 0, "-o", tmp_path / "model")
    )  # fmt: skip
    assert "12 training and 12 validation photographs of 'blue', 'red'" in done.stderr.replace("\n", " ")
    assert "Next: vectable predict" in done.stdout


def test_mistakes_are_told_in_a_sentence(refused, trained, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "one" / "only").mkdir(parents=True)
    for at in range(2):
        Image.new("RGB", (9, 9)).save(tmp_path / "one" / "only" / f"{at}.png")
    out = ["-o", tmp_path / "model"]
    assert "no folder 'nowhere'" in refused("train", "images", "nowhere", *out)
    assert "holds no folder for any class" in refused("train", "images", tmp_path / "empty", *out)
    assert "one class alone, 'only'" in refused("train", "images", tmp_path / "one", *out)
    assert "--valid val" in refused("train", "images", folder, *out)
    assert "belongs to a table" in refused("train", "images", folder / "val", "--label", "x", *out)
    assert "Did you mean 'resnet34'" in refused("train", "images", folder / "val", "--arch", "resnt34", *out)
    assert "no file of weights" in refused("train", "images", folder / "val", "--weights", "gone.pth", *out)
    assert "--whole-lr is '1,2,3'" in refused("train", "images", folder / "val", "--whole-lr", "1,2,3", *out)
    none = ["--epochs", "0", "--whole-epochs", "0"]
    assert "nothing would be trained" in refused("train", "images", folder / "val", *none, *out)
    assert "--lr is -1" in refused("train", "images", folder / "val", "--lr=-1", *out)
    one = folder / "val" / "red" / "00.png"
    assert "is one photograph: name the folder" in refused("train", "images", one, *out)
    assert "--photographs FOLDER" in refused("insight", trained[1])
    assert "no picture in the folder" in refused("predict", trained[1], tmp_path / "empty")
    assert "not a model of ratings" in refused("recommend", trained[1], "7")
    assert not (tmp_path / "model").exists()
