"""The pictures that ship, the small body that knows some of them, and pictures from memory."""

import importlib.resources
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vectable as vt
from vectable.data.sets import catalogue
from vectable.data.sets.picture_sets import PictureInfo
from vectable.models.small_backbone import SmallBackbone

NEW = ("Pullover", "Coat", "Shirt", "Ankle boot")


@pytest.fixture(scope="module")
def fashion():
    return vt.datasets.load("fashion")


# ---------------------------------------------------------------- the set


def test_the_set_is_what_its_info_says(fashion):
    known = catalogue.info("fashion")
    assert isinstance(known, PictureInfo)
    assert (len(fashion.pictures), len(fashion.classes)) == (known.pictures, known.classes)
    assert (fashion.licence, fashion.source) == (known.licence, known.source)
    assert fashion.pictures.shape == (3500, 28, 28)
    counts = fashion.tables["pictures"].group_by("class", "split").len()
    assert set(counts.filter(split="train")["len"]) == {250}
    assert set(counts.filter(split="valid")["len"]) == {100}
    assert len(counts) == 20
    assert "3,500 pictures of 10 classes, 28 x 28 pixels, 1,000 of them for validation; MIT" in repr(fashion)
    folder = importlib.resources.files("vectable.data.sets") / "shipped" / "fashion"
    assert sum(len(one.read_bytes()) for one in folder.iterdir()) < 2_000_000


def test_the_pictures_are_those_of_fashion_mnist(fashion, data_dir):
    from vectable.lab.idx import read_idx

    folder = data_dir / "fashion-mnist"
    if not folder.is_dir():
        pytest.skip(f"needs the original: there is no folder {folder}")
    names = np.array(["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                      "Ankle boot"])  # fmt: skip
    for part, held in (("train", False), ("t10k", True)):
        pictures = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
        labels = names[read_idx(folder / f"{part}-labels-idx1-ubyte.gz")]
        original = {(one.tobytes(), label) for one, label in zip(pictures, labels, strict=True)}
        mine = zip(fashion.pictures[fashion.held_out == held], fashion.labels[fashion.held_out == held], strict=True)
        assert {(one.tobytes(), str(label)) for one, label in mine} <= original


def test_some_classes_and_a_few_pictures_of_each(fashion):
    images = fashion.to_data(classes=NEW, per_class=5, batch_size=8)
    assert images.classes == ("Ankle boot", "Coat", "Pullover", "Shirt")
    assert images.train.target.bincount().tolist() == [5] * 4
    assert images.valid.target.bincount().tolist() == [100] * 4
    assert (images.size, images.batch_size) == (28, 8)
    first, again, other = (fashion.to_data(NEW, 5, seed).train.batch(slice(0, 20)) for seed in (1, 1, 2))
    with torch.no_grad():
        first, again, other = (fashion.to_data(NEW, 5, seed).train.batch(slice(0, 20))[0][0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    grey = first[:, 0].numpy()
    assert (first.numpy() == grey[:, None]).all(), "grey is the same in three colours"
    assert all(one.tobytes() in {p.tobytes() for p in fashion.pictures[~fashion.held_out]} for one in grey)


def test_wrong_wishes(fashion):
    with pytest.raises(vt.UnknownNameError, match=r"no class 'shirt'.*Did you mean 'Shirt'"):
        fashion.to_data(classes=["shirt", "Coat"])
    with pytest.raises(vt.VectableError, match=r"per_class must be .*; got 0"):
        fashion.to_data(per_class=0)
    with pytest.raises(vt.DataError, match="one class alone, 'Coat'"):
        fashion.to_data(classes=["Coat"])


def test_as_a_folder_of_photographs(fashion, tmp_path):
    top = fashion.to_folder(tmp_path / "new" / "fashion")
    images = vt.ImageData.from_folder(top, valid="valid", size=28, augment=False)
    assert (len(images.train), len(images.valid)) == (2500, 1000)
    assert "T-shirt-top" in images.classes
    row = int(images.valid.paths[0].stem)
    with torch.no_grad():
        (one,), _ = images.valid.batch(slice(0, 1))
    assert (one[0, 0].numpy() == fashion.pictures[row]).all()
    (tmp_path / "file").write_text("")
    with pytest.raises(vt.DataError, match="cannot be written"):
        fashion.to_folder(tmp_path / "file")


# ---------------------------------------------------------------- the body


@pytest.mark.slow
def test_the_body_knows_six_classes_and_carries_them_over_to_four_others(fashion):
    images = fashion.to_data(NEW, per_class=10, augment=False)
    learned = vt.vision_learner(images, "fashion-small", progress=False, seed=0).fit_one_cycle(8, 1e-2)
    assert len(learned.layer_groups) == 3
    assert not any(one.requires_grad for one in learned.model.body.parameters())
    plain = vt.vision_learner(images, "fashion-small", pretrained=False, progress=False, seed=0).fit_one_cycle(8, 1e-2)
    accuracy, without = (one.validate()["accuracy"] for one in (learned, plain))
    assert accuracy > 0.55, "of four classes, three of them tops, from ten pictures each"
    assert accuracy > without + 0.05


def test_the_body_looks_at_brightness_alone_and_takes_any_size():
    torch.manual_seed(0)
    body = SmallBackbone().eval()
    colours = torch.rand(2, 3, 28, 28)
    grey = colours.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    with torch.no_grad():
        assert torch.allclose(body(colours), body(grey), atol=1e-4)
        assert body(torch.zeros(1, 3, 64, 40)).shape == (1, 64, 16, 10)
        assert (body(colours) == SmallBackbone().eval()(colours)).all()
        assert not torch.equal(SmallBackbone(pretrained=False).first[0][0].weight, body.first[0][0].weight)
    first, last = body.halves()
    assert {id(one) for one in first + last} == {id(one) for one in body.parameters()}


@pytest.mark.slow
def test_a_model_of_the_body_is_saved_and_explained(fashion, tmp_path):
    images = fashion.to_data(NEW, per_class=5, augment=False)
    learn = vt.vision_learner(images, "fashion-small", progress=False).fit_one_cycle(1, 1e-2)
    learn.save(tmp_path / "model")
    again = vt.load_learner(tmp_path / "model", progress=False)
    boot = fashion.pictures[fashion.labels == "Ankle boot"][0]
    assert again.predict(boot) == learn.predict(boot)
    assert learn.filters().weights.shape == (16, 1, 5, 5)
    assert again.grad_cam(boot, of="Ankle boot").values.shape == (7, 7)
    found = learn.similar_images(fashion.pictures[fashion.held_out & (fashion.labels == "Ankle boot")][0], n=10)
    assert found.table["photograph"][0].startswith("picture ")
    assert (found.table["class"] == "Ankle boot").mean() >= 0.9
    with pytest.raises(vt.UnknownNameError, match="Did you mean 'fashion-small'"):
        vt.vision_learner(images, "fashion-smal")


def test_weights_of_your_own_for_the_body(fashion, tmp_path):
    from safetensors.torch import save_file

    weights = {name: value * 2 for name, value in SmallBackbone().state_dict().items()}
    save_file(weights, tmp_path / "mine.safetensors")
    body = SmallBackbone(weights=tmp_path / "mine.safetensors")
    assert torch.equal(body.last[0][0].weight, weights["last.0.0.weight"])
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(vt.ArtifactError, match=r"other\.safetensors.*another architecture than 'fashion-small'"):
        SmallBackbone(weights=tmp_path / "other.safetensors")


# ---------------------------------------------------------------- pictures from memory


def pictures(n: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 20, 24, 3), dtype=np.uint8)


def test_arrays_with_labels_of_any_kind():
    images = vt.ImageData.from_arrays(pictures(), [10, 9, 10, 9, 10, 9, 9, 10], valid_pct=0.25, augment=False)
    assert images.classes == ("9", "10"), "numbers in their order"
    assert (len(images.train), len(images.valid), images.size) == (6, 2, 20)
    marked = vt.ImageData.from_arrays(
        [*pictures(3), np.zeros((50, 60), np.uint8)], list("abab"), valid=["train", "train", "valid", "valid"],
        size=16, augment=False,
    )  # fmt: skip
    assert [path.name for path in marked.valid.paths] == ["picture 2", "picture 3"]
    assert marked.valid.target.tolist() == [0, 1]
    with torch.no_grad():
        (shown,), _ = marked.valid.batch(slice(0, 2))
    assert shown.shape == (2, 3, 16, 16)
    assert (shown[1] == 0).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"labels": ["a", "b"]}, r"8 pictures, and the label has the shape \(2,\)"),
        ({"valid": [1, 0]}, r"the valid has the shape \(2,\)"),
        ({"labels": ["a"] * 8}, "one class alone, 'a'"),
        ({"labels": ["a", None] * 4}, "Row 2 .* nothing in the column 'label'"),
        ({"valid": [2] * 8}, "Row 1 .* says what to hold out"),
        ({"valid": [True] * 8}, "classes 'a' and 'b', which training lacks|'a', 'b', which training lacks"),
        ({"pictures": pictures().astype(float)}, "Picture 0: .*float64"),
        ({"pictures": pictures()[:0], "labels": []}, "no rows"),
    ],
)
def test_arrays_that_cannot_be_used(wrong, told):
    with pytest.raises(vt.DataError, match=told):
        vt.ImageData.from_arrays(**({"pictures": pictures(), "labels": list("abababab")} | wrong))


# ---------------------------------------------------------------- by command


@pytest.mark.slow
def test_from_the_set_to_a_model_by_command(tmp_path):
    def run(*words: object) -> str:
        command = [sys.executable, "-m", "vectable", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "3,500 pictures" in run("datasets", "fashion")
    assert run("datasets", "fashion", "-o", "clothes").split() == ["clothes"]
    for name in ("Bag", "Coat", "Dress", "Sandal", "Shirt", "Sneaker", "T-shirt-top", "Trouser"):
        for part in ("train", "valid"):
            for one in (tmp_path / "clothes" / part / name).iterdir():
                one.unlink()
            (tmp_path / "clothes" / part / name).rmdir()
    run("train", "images", "clothes", "--valid", "valid", "--arch", "fashion-small", "--size", 28, "--epochs", 1)
    some = next((tmp_path / "clothes" / "valid" / "Ankle boot").iterdir())
    with Image.open(some) as image:
        assert image.mode == "L"
    assert "Ankle boot" in run("predict", "model", some)
    assert Path(tmp_path / "model").is_dir()
