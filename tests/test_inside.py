"""Looking inside nets for photographs: hooks that come off, layers by name, filters, maps, patches and likeness."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.hooks import RemovableHandle

import vectable as vt
from vectable.data.images.image_data import ImageRows
from vectable.insight.activations import activations_of
from vectable.insight.evaluating import evaluating
from vectable.insight.filters import as_picture, filters_of
from vectable.insight.grad_cam import class_activations
from vectable.insight.image_search import ImageIndex
from vectable.insight.layers import find_layer, last_map, list_layers
from vectable.insight.top_patches import top_activating_patches

SIDE = 12


def net() -> nn.Module:
    """A convolution, batch norm and a ReLU in place; both again in a block of its own; a mean and a linear layer."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(inplace=True))
    first = [nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)]
    return nn.Sequential(*first, block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(5, 2))


@pytest.fixture
def hooks(monkeypatch) -> list[RemovableHandle]:
    """The hooks that are on, wherever: counted as they are put on and taken off."""
    on: list[RemovableHandle] = []
    register, remove = nn.Module.register_forward_hook, RemovableHandle.remove

    def put_on(*args, **how):
        on.append(register(*args, **how))
        return on[-1]

    def take_off(handle):
        on[:] = [one for one in on if one is not handle]
        remove(handle)

    monkeypatch.setattr(nn.Module, "register_forward_hook", put_on)
    monkeypatch.setattr(RemovableHandle, "remove", take_off)
    return on


def some_pictures(n: int = 6) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def rows_of(pictures: torch.Tensor, paths: list[Path] | None = None) -> ImageRows:
    kept = [one.permute(1, 2, 0).numpy() for one in pictures]
    return ImageRows(paths or [Path()] * len(kept), kept, torch.arange(len(kept)) % 2, SIDE)


class Bytes(nn.Sequential):
    """Layers that take bytes."""

    def forward(self, x):
        return super().forward(x.float() / 255)


def byte_net() -> nn.Module:
    return Bytes(*net())


# ---------------------------------------------------------------- hooks


def test_what_is_heard_is_what_the_layer_put_out_before_it_was_changed_in_place():
    model, x = net().eval(), some_pictures().float()
    with torch.no_grad(), vt.watch(model, ["1", "3", -1]) as seen:
        outputs = model(x)
    assert list(seen.activations) == ["1", "3", "7"]
    assert seen.gradients == {}
    with torch.no_grad():
        expected = model[1](model[0](x))
        assert (expected < 0).any(), "the ReLU behind would have changed it"
        assert torch.equal(seen.activations["1"], expected)
        assert torch.equal(seen.activations["3"], model[:4](x))
    assert torch.equal(seen.activations["7"], outputs)


@pytest.mark.parametrize("frozen", [False, True])
def test_gradients_of_several_layers_are_those_of_autograd(frozen):
    model, x = net().eval(), some_pictures().float()
    with vt.watch(model, ["1", "3"], gradients=True) as seen:
        if frozen:
            model.requires_grad_(False)
        model(x)[:, 1].sum().backward()
    with torch.no_grad():
        middle = model[:2](x)
    middle.requires_grad_()
    last = model[3](middle.relu())
    last.retain_grad()
    model[4:](last)[:, 1].sum().backward()
    assert torch.allclose(seen.gradients["1"], middle.grad)
    assert torch.allclose(seen.gradients["3"], last.grad)


def test_watching_changes_no_output_and_no_hook_is_left(hooks):
    model, x = net().eval(), some_pictures().float()
    alone = model(x)
    with vt.watch(model, list(range(7)), gradients=True):
        assert len(hooks) == 7
        watched = model(x)
    assert torch.equal(alone, watched)
    assert not hooks


def test_hooks_come_off_when_something_fails(hooks):
    model = net()
    with pytest.raises(RuntimeError), vt.watch(model, ["0", "1"]):
        model(torch.zeros(1, 7, SIDE, SIDE))
    assert not hooks
    with pytest.raises(KeyboardInterrupt), vt.watch(model, [0]):
        raise KeyboardInterrupt
    assert not hooks
    with pytest.raises(vt.UnknownNameError), vt.watch(model, ["0", "nowhere"]):
        pass
    assert not hooks
    with pytest.raises(RuntimeError):
        last_map(model, torch.zeros(1, 7, SIDE, SIDE))
    assert not hooks


def test_every_module_is_afterwards_in_the_mode_it_was_in():
    model = net().train()
    model[1].eval()
    with evaluating(model):
        assert not any(one.training for one in model.modules())
    assert [one.training for one in model.children()] == [True, False, True, True, True, True, True, True]


# ---------------------------------------------------------------- layers


def test_layers_by_name_by_the_end_of_a_name_and_by_number():
    model = nn.ModuleDict({"body": net(), "head": nn.Linear(2, 2)})
    assert find_layer(model, "body.3") == ("body.3", model["body"][3])
    assert find_layer(model, "3.1")[0] == "body.3.1"
    assert find_layer(model, "body") == ("body", model["body"])
    assert find_layer(model, 0)[0] == "body.0"
    assert find_layer(model, 3)[0] == "body.3.0"
    assert find_layer(model, np.int64(-1))[0] == "head"


@pytest.mark.parametrize(
    ("layer", "error", "told"),
    [
        ("bod", vt.UnknownNameError, "no layer 'bod'.*Did you mean 'body'"),
        ("", vt.UnknownNameError, "no layer ''"),
        ("1", vt.UnknownNameError, "2 layers are called '1'"),
        (9, vt.VectableError, r"no layer number 9: they go from 0 \(body.0\) to 8 \(body.7\)"),
        (-10, vt.VectableError, "no layer number -10"),
        (1.5, vt.VectableError, "no layer number 1.5"),
        (None, vt.VectableError, "no layer number None"),
    ],
)
def test_layers_that_are_not_there(layer, error, told):
    with pytest.raises(error, match=told):
        find_layer(nn.ModuleDict({"body": net()}), layer)


def test_the_listing_counts_as_the_numbers_do():
    model = byte_net()
    listed = list_layers(model, (some_pictures(),))
    assert [find_layer(model, number)[0] for number in listed["number"]] == listed["layer"].to_list()
    assert listed["activations"].to_list()[:2] == ["4 x 6 x 6", "4 x 6 x 6"]
    assert listed["activations"].to_list()[-1] == "2"
    assert listed["parameters"].sum() == sum(one.numel() for one in model.parameters())


def test_the_last_map_is_the_last_with_positions():
    assert last_map(byte_net(), some_pictures()) == "3"
    with pytest.raises(vt.VectableError, match="puts out maps"):
        last_map(nn.Sequential(nn.Linear(3, 2)), torch.zeros(1, 3))


# ---------------------------------------------------------------- one photograph


def test_activations_and_gradients_of_one_photograph():
    model, pictures = byte_net().train(), some_pictures()
    seen = activations_of(model, pictures[2], "3", output=1)
    model.eval()
    assert seen.values == pytest.approx(model[:4](pictures[2:3])[0].detach().numpy(), abs=1e-6)
    weights = model[7].weight[1].detach().numpy()
    assert seen.gradients == pytest.approx(np.broadcast_to(weights[:, None, None] / 36, (5, 6, 6)), abs=1e-7)
    assert seen.outputs == pytest.approx(model(pictures[2:3])[0].detach().numpy(), abs=1e-6)
    assert (seen.picture == pictures[2].permute(1, 2, 0).numpy()).all()
    assert seen.strongest(2) == list(np.argsort(-seen.values.max(axis=(1, 2)))[:2])
    assert all(one.grad is None for one in model.parameters()), "a question leaves no trace"


def test_activations_of_layers_that_take_no_part():
    model = byte_net()
    model.add_module("unused", nn.ModuleList([nn.Linear(2, 2)]))
    model.forward = lambda x: net()(x.float())
    with pytest.raises(vt.VectableError, match=r"'unused.0' was not called"):
        activations_of(model, some_pictures()[0], "unused.0")


def test_grad_cam_is_the_class_activation_map_behind_a_mean_and_a_linear_layer():
    model, picture = byte_net(), some_pictures()[0]
    seen = activations_of(model, picture, last_map(model, picture[None]), output=1)
    weights = model[7].weight[1].detach().numpy()
    expected = np.maximum((weights[:, None, None] * seen.values).sum(axis=0), 0) / 36
    assert class_activations(seen) == pytest.approx(expected, abs=1e-7)
    assert expected.max() > 0
    with pytest.raises(vt.VectableError, match="needs a layer that makes maps"):
        class_activations(activations_of(model, picture, -1, output=0))
    with pytest.raises(vt.VectableError, match="with gradients"):
        class_activations(activations_of(model, picture, "3"))


# ---------------------------------------------------------------- filters and patches


def test_filters_as_pictures():
    model = byte_net()
    found = filters_of(model)
    assert found.layer == "0"
    assert found.weights.shape == (4, 3, 3, 3)
    assert filters_of(model, "3.0").weights.shape == (5, 4, 3, 3)
    assert as_picture(np.array([[[2.0, -2.0], [0.0, 1.0]]], dtype=np.float32))[..., 1].tolist() == [[1, 0], [0.5, 0.75]]
    assert (as_picture(np.zeros((3, 2, 2), dtype=np.float32)) == 0.5).all()
    with pytest.raises(vt.VectableError, match=r"'1' is a BatchNorm2d, no convolution.*'0'"):
        filters_of(model, 1)
    with pytest.raises(vt.VectableError, match="no convolution"):
        filters_of(nn.Sequential(nn.Linear(2, 2)))


def test_the_patch_that_excites_a_channel_is_where_its_pattern_lies():
    pattern = torch.tensor([[1.0, -1, 1], [-1, 1, -1], [1, -1, 1]])
    model = Bytes(nn.Conv2d(3, 2, 3, padding=1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        model[0].weight[0] = pattern
        model[0].weight[1] = -1  # nothing excites it
    pictures = torch.full((4, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    bright = torch.where(pattern > 0, 255, 0).byte()
    pictures[2, :, 5:8, 2:5] = bright
    pictures[1, :, 0:3, 9:12] = bright // 2
    found = top_activating_patches(model, rows_of(pictures), "0", channels=[0], n=2)
    assert found.table.select("row", "top", "left", "bottom", "right").rows() == [(2, 5, 2, 8, 5), (1, 0, 9, 3, 12)]
    assert found.table["activation"].to_list() == pytest.approx([15.0, 7.5], abs=0.1)
    assert (found.patches[0] == bright.numpy()[:, :, None]).all()
    dark = top_activating_patches(model, rows_of(pictures), "1", channels=1, n=9)  # no gradient behind the ReLU
    assert dark.table["activation"].to_list() == [0.0], "where nothing excites a channel, one patch shows it"
    assert dark.patches[0].shape == (1, 1, 3)
    both = top_activating_patches(model, rows_of(pictures), "1", n=9)
    excited = both.table.filter(channel=0)
    assert (excited["activation"] > 0).all()
    assert both.table["channel"].to_list() == [0] * len(excited) + [1], "the silent channel last"
    assert len(both.plot().axes) == 2 * len(excited), "each channel begins a row"


def test_patches_of_channels_that_stand_out_and_of_layers_without_maps():
    model, rows = byte_net(), rows_of(some_pictures(20))
    found = top_activating_patches(model, rows, 0, n=3)
    assert found.table["channel"].n_unique() == 4
    assert len(found.patches) == 12
    for one in found.table.partition_by("channel"):
        assert one["activation"].is_sorted(descending=True)
        assert one["row"].n_unique() == 3
    features = top_activating_patches(model, rows, "5", channels=2, n=1)
    assert features.patches[0].shape[0] > SIDE / 2, "a mean depends on all of the photograph"
    for wrong, told in [
        ({"channels": 4}, "no channel 4 in '0': they go from 0 to 3"),
        ({"channels": [1.5]}, "no channel 1.5"),
        ({"channels": []}, "channels is empty"),
        ({"n": 0}, "n must be .*; got 0"),
    ]:
        with pytest.raises(vt.VectableError, match=told):
            top_activating_patches(model, rows, 0, **wrong)
    with pytest.raises(vt.VectableError, match="no photographs"):
        top_activating_patches(model, rows_of(some_pictures(0)), 0)


# ---------------------------------------------------------------- likeness


def index_of(pictures: torch.Tensor, paths: list[Path] | None = None, **how: object) -> ImageIndex:
    cut = len(pictures) // 2
    first, last = (paths[:cut], paths[cut:]) if paths else (None, None)
    sets = {"train": rows_of(pictures[:cut], first), "valid": rows_of(pictures[cut:], last)}
    read = {"as tensor": lambda one: one, "as file": lambda one: pictures[int(Path(one).stem)]}
    return ImageIndex(byte_net(), sets, ("a", "b"), read["as file" if paths else "as tensor"], **{"layer": "3", **how})


def test_the_photograph_itself_is_the_likest_and_its_file_is_left_out():
    pictures = some_pictures(10)
    found = index_of(pictures).search(pictures[7], n=3)
    assert found.table.row(0)[1:] == ("a", "valid", 2, None)
    assert found.table["likeness"][0] == pytest.approx(1)
    assert (found.pictures[0] == found.picture).all()
    files = index_of(pictures, [Path(f"{at}.png") for at in range(10)])
    others = files.search("7.png", n=99).table
    assert len(others) == 9
    assert "7.png" not in others["photograph"].to_list()
    assert others["likeness"].is_sorted(descending=True)
    assert others["likeness"].to_list()[:2] == pytest.approx(found.table["likeness"].to_list()[1:], abs=1e-5)


def test_likeness_is_the_cosine_of_centred_means_of_the_map_where_all_components_are_kept():
    pictures = some_pictures(10)
    index = index_of(pictures)
    assert index.explained == pytest.approx(1)
    with torch.no_grad():
        means = byte_net().eval()[:4](pictures).mean(dim=(2, 3)).numpy()
    centred = means - means.mean(axis=0)
    expected = centred @ centred[0] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[0])
    found = index.search(pictures[0], n=10).table.with_columns(at=pl.col("row") + 5 * (pl.col("set") == "valid"))
    assert found.sort("at")["likeness"].to_list() == pytest.approx(expected.tolist(), abs=1e-4)
    assert index_of(pictures, components=2).explained < 1
    assert "2 components" in repr(index_of(pictures, components=2))


def test_searches_that_cannot_be():
    with pytest.raises(vt.VectableError, match="no photographs to search"):
        index_of(some_pictures(0))
    with pytest.raises(vt.VectableError, match=r"components must be .*; got 0"):
        index_of(some_pictures(4), components=0)
    with pytest.raises(vt.VectableError, match=r"n must be .*; got 0"):
        index_of(some_pictures(4)).search(some_pictures(4)[0], n=0)


# ---------------------------------------------------------------- asked of a learner


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twelve pictures with a red square and twelve with a blue one, each somewhere on grey noise."""
    top = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (top / name).mkdir()
        for at in range(12):
            picture = np.repeat(rng.integers(0, 90, (32, 32, 1), dtype=np.uint8), 3, axis=2)
            y, x = rng.integers(0, 24, 2)
            picture[y : y + 8, x : x + 8, channel] = 255
            Image.fromarray(picture).save(top / name / f"{at:02}.png")
    return top


@pytest.fixture(scope="module")
def learn(folder) -> vt.VisionLearner:
    """A small net that tells the squares apart. Ask it anything, but do not train it."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    images = vt.ImageData.from_folder(folder, size=32, batch_size=8, augment=False, valid_pct=0.25)
    learn = vt.vision_learner(images, nn.Sequential(*layers), width=16, ps=0.0, train_bn=True, progress=False)
    return learn.fit_one_cycle(16, 1e-2)


def test_a_learner_is_asked_by_file_by_array_and_by_name(learn, folder, hooks):
    assert learn.validate()["accuracy"] == 1
    assert learn.layers()["layer"].to_list()[:2] == ["body.net.0", "body.net.1"]
    assert learn.filters().weights.shape == (8, 3, 5, 5)
    file = folder / "red" / "03.png"
    seen = learn.activations(file, "body.net.0")
    assert seen.values.shape == (8, 16, 16)
    assert (learn.activations(str(file), 0).values == seen.values).all()
    assert (learn.activations(np.array(Image.open(file)), 0).values == seen.values).all()
    assert learn.activations(file).layer == "body", "the last with maps"
    assert learn.grad_cam(file).of == learn.predict(file).label
    assert seen.gradients is None
    assert learn.activations(file, of="red").gradients.shape == (8, 16, 16)
    with pytest.raises(vt.UnknownNameError, match=r"no layer 'body.net.9'.*Did you mean"):
        learn.activations(file, "body.net.9")
    with pytest.raises(vt.UnknownNameError, match=r"no class 'rde'.*'red'"):
        learn.grad_cam(file, of="rde")
    with pytest.raises(vt.DataError, match="no file"):
        learn.grad_cam(folder / "gone.png")
    assert not hooks


def test_grad_cam_lies_on_the_square(learn, folder):
    hits = dict.fromkeys(learn.classes, 0)
    for name, channel in (("red", 0), ("blue", 2)):
        for file in sorted((folder / name).iterdir()):
            found = learn.grad_cam(file, of=name)
            assert found.probability == pytest.approx(learn.predict(file).probabilities[name], abs=1e-6)
            row, column = np.unravel_index(found.values.argmax(), found.values.shape)
            seen = np.array(Image.open(file))[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
            hits[name] += seen.max() == 255
    assert max(hits.values()) >= 10, "of twelve: one class has its square, the other perhaps the want of one"


def test_patches_and_likeness_of_a_learner(learn, folder):
    patches = learn.top_activating_patches("body.net.0", n=2)
    assert patches.table["row"].max() < len(learn.data.valid)
    assert all(max(one.shape[:2]) <= 5 for one in patches.patches), "what a filter of five pixels sees"
    file = folder / "blue" / "05.png"
    table = learn.similar_images(file, n=8).table
    assert str(file) not in table["photograph"].to_list()
    assert (table["class"] == "blue").sum() >= 7
    index = learn.image_index()
    assert index.search(file, n=8).table.equals(table)
    assert set(index.search(file, n=99).table["set"]) == {"train", "valid"}
    with pytest.raises(vt.VectableError, match="on must be 'train' or 'valid'; got 'test'"):
        learn.top_activating_patches(on="test")


def test_a_loaded_learner_without_data_answers_what_needs_none(learn, folder, tmp_path):
    learn.save(tmp_path / "model")
    again = vt.load_learner(tmp_path / "model", model=nn.Sequential(*list(learn.model.body.net)), progress=False)
    file = folder / "red" / "00.png"
    assert (again.grad_cam(file).values == learn.grad_cam(file).values).all()
    assert len(again.layers()) == len(learn.layers())
    with pytest.raises(vt.VectableError, match="without data"):
        again.similar_images(file)


# ---------------------------------------------------------------- pictures of it all


def test_everything_can_be_drawn(tmp_path, learn, folder):
    model, pictures = byte_net(), some_pictures(8)
    seen = activations_of(model, pictures[0], 0)
    drawn = {
        "filters": filters_of(model),
        "deeper filters": filters_of(model, "3.0"),
        "maps": seen,
        "bars": activations_of(model, pictures[0], -1),
        "class map": learn.grad_cam(folder / "red" / "00.png"),
        "patches": top_activating_patches(model, rows_of(pictures), 0, n=3),
        "similar": index_of(pictures).search(pictures[0], n=5),
    }
    for name, one in drawn.items():
        one.plot(path=str(tmp_path / f"{name}.png"))
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.width > 100, name
        assert type(one).__name__ in repr(one) or name == "similar"
    with pytest.raises(vt.VectableError, match="no channel 7"):
        seen.plot([7])


def test_old_names_of_methods_still_work(learn, folder):
    file = folder / "red" / "00.png"
    with pytest.warns(DeprecationWarning, match="class_map is now called grad_cam"):
        assert (learn.class_map(file).values == learn.grad_cam(file).values).all()
    with pytest.warns(DeprecationWarning, match="exciting_patches is now called top_activating_patches"):
        assert learn.exciting_patches(n=1).table.equals(learn.top_activating_patches(n=1).table)
