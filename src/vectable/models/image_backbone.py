"""A backbone from timm: any architecture without its classifier, where it splits, and its pretrained weights."""

import re
import socket
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vectable.data.images.torchvision_transforms import import_torchvision
from vectable.errors import ArtifactError, UnknownNameError, VectableError, did_you_mean

FASHION_SMALL = "fashion-small"  # the backbone that comes with the package, see `models/small_backbone.py`
HUB = ("huggingface.co", 443)


def timm_module() -> Any:
    """The module `timm`, imported.

    Raises:
        VectableError: not installed.
    """
    import_torchvision()  # which timm imports
    try:
        import timm
    except ImportError as problem:
        raise VectableError(f"Images need timm ({problem}): pip install 'vectable[vision]'.") from problem
    return timm


class TimmBackbone(nn.Module):
    """An architecture from timm without its classifier.

    Args:
        arch: a name that timm knows, e.g. "resnet34".
        pretrained: whether to take the published weights from timm's hub, unless `weights` is given.
        weights: file with weights, .safetensors or .pth; for EfficientNet-Lite also with EfficientNet-PyTorch's names.

    Attributes:
        n_features: channels of the output.
        mean, std: of the colors, 0 to 1, that the weights were trained with.

    Raises:
        UnknownNameError: no such architecture; with the closest names.
        ArtifactError: the weights are not there, or belong to another architecture.
    """

    def __init__(self, arch: str, pretrained: bool = True, weights: str | Path | None = None) -> None:
        super().__init__()
        timm = timm_module()
        if not timm.is_model(arch):
            hint = did_you_mean(arch, [*timm.list_models(), FASHION_SMALL])
            raise UnknownNameError(f"timm has no architecture {arch!r}.{hint} timm.list_models() lists them.")
        self.net: Any = timm.create_model(arch)
        self.arch = arch
        about: Any = self.net.pretrained_cfg
        self.mean, self.std = tuple(about["mean"]), tuple(about["std"])
        if weights is not None:
            load_weights(self.net, weights, arch)
        elif pretrained:
            self.net = _from_hub(timm, arch)
        self.net.reset_classifier(0)
        side = about["input_size"][-1]
        self.eval()
        with torch.no_grad():
            self.n_features = self(torch.zeros(1, 3, side, side)).shape[1]
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        """Normalized images, (batch, 3, height, width) -> (batch, n_features, rows, columns)."""
        features: Tensor = self.net.forward_features(x)
        if features.ndim == 3:  # tokens of a transformer, the class token and its like first
            features = features[:, getattr(self.net, "num_prefix_tokens", 0) :].transpose(1, 2)[..., None]
        elif getattr(self.net, "output_fmt", "NCHW") == "NHWC":
            features = features.permute(0, 3, 1, 2)
        return features

    def halves(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The parameters in two groups, first layers and last, cut in the middle of the stages.

        For a resnet that is before its third stage, as in the lesson.
        """
        from timm.models import group_parameters

        found = group_parameters(self.net, self.net.group_matcher(coarse=True))
        stages = [found[at] for at in sorted(found)]
        cut = (len(stages) + 1) // 2
        parameters = dict(self.net.named_parameters())
        first, last = ([parameters[name] for names in part for name in names] for part in (stages[:cut], stages[cut:]))
        return first, last


def load_weights(net: nn.Module, path: str | Path, arch: str) -> None:
    """Load a file's weights into a net from timm, including its classifier; code in the file is never run.

    Raises:
        ArtifactError: not there, unreadable, or of another architecture.
    """
    file = Path(path)
    if not file.is_file():
        raise ArtifactError(f"There is no file of weights {str(file)!r}.")
    try:
        load: Any = timm_module().models.load_state_dict
        found: Mapping[str, Tensor] = load(str(file), device="cpu", weights_only=True)
    except Exception as problem:  # whatever a damaged file leads torch or safetensors to raise
        raise ArtifactError(
            f"{str(file)!r} holds no weights that can be read: it is neither safetensors nor tensors alone in torch's "
            "format (code in a file is never run)."
        ) from problem
    if "_conv_stem.weight" in found:
        found = timm_names(found, net.state_dict())
    wanted = net.state_dict()
    for name in [*wanted, *found]:
        there, here = (None if name not in one else tuple(one[name].shape) for one in (found, wanted))
        if there != here:
            raise ArtifactError(
                f"{str(file)!r} holds the weights of another architecture than {arch!r}: {name!r} is "
                f"{there or 'missing'} in the file and {here or 'missing'} in the net."
            )
    net.load_state_dict(dict(found))


def timm_names(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of EfficientNet-Lite in the names of EfficientNet-PyTorch, renamed to timm's.

    There the blocks are numbered through; here by stage. A block without expansion has two convolutions, any other
    three, and the batch norms are numbered accordingly.
    """
    blocks = list(dict.fromkeys(match[0] for name in wanted if (match := re.match(r"blocks\.\d+\.\d+\.", name))))
    outside = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    plain = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    expanding = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
                 "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
    renamed = {}
    for name, value in found.items():
        parts = name.split(".")
        if parts[0] == "_blocks" and int(parts[1]) < len(blocks):
            layers = expanding if f"_blocks.{parts[1]}._expand_conv.weight" in found else plain
            new = f"{blocks[int(parts[1])]}{layers.get(parts[2], parts[2])}.{parts[-1]}"
        else:
            new = ".".join([outside.get(parts[0], parts[0]), *parts[1:]])
        renamed[new] = value
    return renamed


def _from_hub(timm: Any, arch: str) -> nn.Module:
    """A net with its published weights: from the cache, or from the hub where it can be reached."""
    message = (
        f"The pretrained weights of {arch!r} are neither here nor to be had: no file was given, and timm's hub cannot "
        "be reached. Give a file, weights='....safetensors' (--weights), or connect to the network once; "
        "pretrained=False (--no-pretrained) starts from random weights."
    )
    if not (_cached(timm, arch) or urllib.request.getproxies() or _reachable()):
        raise ArtifactError(message)
    try:
        net: nn.Module = timm.create_model(arch, pretrained=True)
    except OSError as problem:
        raise ArtifactError(f"{message} ({problem!s:.120})") from problem
    except RuntimeError as problem:
        raise ArtifactError(f"timm gives no pretrained weights for {arch!r}: {problem!s:.200}") from problem
    return net


def _cached(timm: Any, arch: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    repository = timm.get_pretrained_cfg(arch).hf_hub_id
    files = ("model.safetensors", "pytorch_model.bin")
    return bool(repository) and any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)


def _reachable() -> bool:
    try:
        socket.create_connection(HUB, timeout=3).close()
    except OSError:
        return False
    return True
