"""The application for photographs: a pretrained backbone, and a new head for your classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.images.image_data import ImageData
from vectable.data.images.image_decoding import decode_image
from vectable.data.images.image_rows import ImageInputs
from vectable.errors import ArtifactError, is_finite, is_whole, require
from vectable.folder_schema import mapping, part
from vectable.images.mistakes import ImageMistakes
from vectable.images.recipe import IMAGENET, Recipe, Stats, make_backbone
from vectable.insight.image_insight import ImageInsight
from vectable.models.custom_backbone import CustomBackbone, module_to_cut
from vectable.models.image_net import ImageNet
from vectable.models.losses import activation_of
from vectable.training.data_protocol import NoData
from vectable.training.learner import Learner, check_arguments
from vectable.training.memory import keeping_freed_memory
from vectable.training.saved_state import weights_in
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from vectable.artifact import Contents


def vision_learner(
    images: ImageData,
    arch: str | nn.Module = "resnet34",
    pretrained: bool = True,
    weights: str | Path | None = None,
    metrics: Sequence[Any] = ("accuracy",),
    *,
    cut: int | None = None,
    stats: Stats | None = None,
    width: int = 512,
    ps: float = 0.5,
    train_bn: bool | None = None,
    loss_func: Any = None,
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> "VisionLearner":
    """A learner for photographs: a pretrained backbone with a new head.

    Args:
        images: the photographs.
        arch: a name that timm knows; "fashion-small", a small backbone for gray images of 28 x 28 pixels whose weights
            come with the package; or a custom module, whose weights are kept.
        pretrained: whether the backbone starts from pretrained weights: the published ones, from timm's hub unless
            `weights` is given. It then starts frozen, as in the lesson (`unfreeze` lets it train). With False it starts
            at random, or with a custom module's weights, and all of it trains.
        weights: file with weights of `arch`, .safetensors or .pth, for use without a network.
        metrics: names or functions.
        cut: number of the children to keep of a custom module, e.g. -2 for all but the last two; None keeps it whole.
        stats: (mean, std) of the colors, 0 to 1, that a custom module was trained with; by default ImageNet's. timm's
            architectures bring their own.
        width: size of the head's hidden layer.
        ps: dropout before the head's last layer; half as much before its first.
        train_bn: whether batch norm in the backbone updates its statistics, and trains where the backbone is frozen. By
            default it does with the preset "lesson", and in a backbone that starts at random. With a few hundred
            photographs it costs a pretrained backbone accuracy, and a frozen one needs the backward pass for it.
        loss_func: by default cross-entropy.
        preset: "modern" or "lesson".
        seed: random seed of the head's initialization, the batches, augmentation and dropout.
        learner: further arguments of `Learner`.

    Raises:
        UnknownNameError: no such architecture; with the closest names.
        ArtifactError: the weights are not there, or belong to another architecture.

    Examples:
        >>> import vectable as vt
        >>> images = vt.datasets.load("fashion").to_data(["Coat", "Ankle boot"], per_class=20)
        >>> learn = vt.vision_learner(images, "fashion-small", progress=False).fit_one_cycle(1, 1e-2)
        >>> tuple(learn.get_preds()[0].shape)
        (200, 2)
    """
    require(
        isinstance(images, ImageData),
        f"images must be an ImageData, e.g. ImageData.from_folder(...); got {images!r:.80}.",
    )
    require(is_whole(width, 1), f"width must be a positive integer; got {width!r}.")
    require(is_finite(ps) and 0 <= ps < 1, f"ps must be in [0, 1); got {ps!r}.")
    require(isinstance(arch, str | nn.Module), f"arch must be a name that timm knows, or a module; got {arch!r}.")
    is_custom, is_trained = isinstance(arch, nn.Module), bool(pretrained or weights)
    train_bn = (preset == "lesson" or not is_trained) if train_bn is None else train_bn
    require(not (is_custom and weights), "A custom module brings its weights; leave out weights=...")
    require(is_custom or cut is None, "cut belongs to a custom module; timm's architectures are cut before their end.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = make_backbone(arch, cut, images.size, pretrained, weights)
        recipe = Recipe(
            arch=arch if isinstance(arch, str) else None,
            cut=cut,
            classes=images.classes,
            size=images.size,
            stats=stats or (IMAGENET if isinstance(backbone, CustomBackbone) else (backbone.mean, backbone.std)),
            width=width,
            ps=ps,
            bias=preset == "lesson",
        )
        net = recipe.net(backbone, train_bn)
    check_arguments(vision_learner, learner)
    learner |= {"preset": preset, "seed": seed, "train_bn": train_bn}
    learn = VisionLearner(images, net, loss_func or nn.CrossEntropyLoss(), metrics, recipe=recipe, **learner)
    if is_trained and len(learn.layer_groups) > 1:
        learn.freeze()
    return learn


class Prediction(NamedTuple):
    """What a model predicts for one photograph.

    Attributes:
        label: the most likely class.
        probabilities: of each class, by name.
    """

    label: str
    probabilities: dict[str, float]


class VisionLearner(ImageInsight, ImageMistakes):
    """A `Learner` for photographs; made by `vision_learner`.

    Attributes:
        recipe: classes, size and what else it takes to get from a photograph to a prediction.

    Examples:
        >>> import vectable as vt
        >>> images = vt.datasets.load("fashion").to_data(["Coat", "Ankle boot"], per_class=20)
        >>> learn = vt.vision_learner(images, "fashion-small", progress=False)
        >>> _ = learn.unfreeze()
        >>> _ = learn.fit_one_cycle(1, slice(1e-4, 3e-3))  # the first layers in small steps
        >>> learn.classes
        ['Ankle boot', 'Coat']
    """

    data: ImageData
    model: ImageNet

    def __init__(self, data: ImageData, model: nn.Module, *how: Any, recipe: Recipe, **more: Any) -> None:
        super().__init__(data, model, *how, **more)
        self.recipe = recipe

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of `predict_proba`."""
        return list(self.recipe.classes)

    def _fit(self, *how: Any) -> Learner:
        with keeping_freed_memory():
            return super()._fit(*how)

    # ---------------------------------------------------------------- predicting

    def predict(self, pictures: Any) -> Any:
        """The most likely class and the probabilities of a photograph, or a list of those for several.

        Args:
            pictures: a path, a Pillow image or an array of bytes, (height, width, 3); or a list of such.

        Returns:
            A `Prediction`, e.g. ``label, probabilities = learn.predict("ant.jpg")``; for a list, a list of them.

        Raises:
            DataError: a file that cannot be read, by name.
        """
        single = not isinstance(pictures, list | tuple)
        found = self.predict_proba([pictures] if single else pictures)
        named = [
            Prediction(self.classes[one.argmax()], dict(zip(self.classes, one.tolist(), strict=True))) for one in found
        ]
        return named[0] if single else named

    def predict_proba(self, pictures: Any) -> NDArray[np.float32]:
        """Probability of each class, in the order of `classes`.

        Args:
            pictures: as for `predict`.

        Returns:
            (classes,) for one photograph; (photographs, classes) for a list.

        Raises:
            DataError: a file that cannot be read, by name.
        """
        single = not isinstance(pictures, list | tuple)
        outputs = self.session.outputs(self.model, self.inputs_of([pictures] if single else pictures))
        probabilities: Tensor = activation_of(self.loss_func)(outputs)
        return probabilities.numpy()[0] if single else probabilities.numpy()

    def inputs_of(self, pictures: Sequence[Any]) -> ImageInputs:
        """Photographs as the model takes them: paths are decoded when a batch asks for them."""
        paths = [Path(one) if isinstance(one, str | Path) else Path() for one in pictures]
        kept = [None if isinstance(one, str | Path) else decode_image(one, self.recipe.size) for one in pictures]
        return ImageInputs(paths, kept, self.recipe.size)

    def _check_data(self, data: Any) -> None:
        """Raise a `DataError` for photographs of other classes or of another size than the model was made for."""
        require(isinstance(data, ImageData), f"data is {data!r:.80}; a model of photographs needs ImageData.")
        self.recipe.check(data.classes, data.size)

    # ---------------------------------------------------------------- saving

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds; the photographs are not in it."""
        contents = super().to_contents()
        contents.kind = "images"
        contents.settings["recipe"] = self.recipe.to_json()
        return contents

    def _beside_contents(self) -> dict[str, Any]:
        more = super()._beside_contents() | {"data": None if isinstance(self.data, NoData) else self.data}
        if isinstance(self.model.body, CustomBackbone):
            more["model"] = module_to_cut(self.model.body, self.recipe.cut)
        return more

    @classmethod
    def from_contents(
        cls, contents: "Contents", model: nn.Module | None = None, data: ImageData | None = None, **more: Any
    ) -> "VisionLearner":
        """The learner back from a saved folder's contents.

        Args:
            model: the module, where the backbone was a custom one.
            data: photographs of the same classes, to measure on or to continue training with.
        """
        recipe = Recipe.from_json(part(contents.settings, "recipe", mapping, "settings."))
        arch = recipe.arch or model
        if arch is None:
            raise ArtifactError(
                "This folder holds the weights of a custom backbone, and no code: make the module and hand it in, "
                "load_learner(path, model=...)."
            )
        if data is not None:
            recipe.check(data.classes, data.size)
        options = saved_options(contents.settings, more)

        net = recipe.saved_net(arch, options["train_bn"], weights_in(contents))
        learn = cls(data or NoData(), net, recipe=recipe, **options)  # type: ignore[arg-type]  # stands for the data until there is some
        learn.take_state(contents)
        return learn
