"""The application for photographs: a body that knows pictures already, a new head for the classes of yours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.images.image_data import ImageData
from vectable.data.images.image_decoding import center_crop, decode_image
from vectable.data.images.image_rows import ImageRows
from vectable.errors import ArtifactError, DataError, is_finite, is_whole, quote_some, require
from vectable.insight.image_insight import ImageInsight
from vectable.insight.mistakes import confusion_table, draw_confusion, worst_rows
from vectable.models.image_body import FASHION_SMALL, ImageBody
from vectable.models.image_head import image_head
from vectable.models.image_net import ImageNet
from vectable.models.losses import activation_of
from vectable.models.own_body import OwnBody, channels_of
from vectable.models.small_body import SmallBody
from vectable.training.data_protocol import NoData
from vectable.training.learner import Learner, check_arguments
from vectable.training.memory import keeping_freed_memory
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.artifact import Contents

Stats = tuple[tuple[float, ...], tuple[float, ...]]
IMAGENET: Stats = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


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
    """A learner for photographs: a pretrained body with a new head.

    Args:
        images: the photographs.
        arch: a name of timm's; "fashion-small", a small body for grey pictures of 28 x 28 pixels whose weights come
            with the package; or a module of your own, whose weights are kept as they are.
        pretrained: whether the body knows pictures already: then it takes the published weights, those of timm from its
            hub where `weights` gives none, and starts frozen, as in the lesson (`unfreeze` lets it learn). With False
            it starts at random, or as your own module is, and all of it learns.
        weights: file with weights of `arch`, .safetensors or .pth, for use without a network.
        metrics: names or functions.
        cut: number of the children to keep of a module of your own, -2 for all but the last two; None keeps it whole.
        stats: (mean, std) of the colours, 0 to 1, that a module of your own was trained with; by default ImageNet's.
            An architecture of timm brings its own.
        width: of the layer between, in the head.
        ps: dropout before the head's last layer; half as much before its first.
        train_bn: whether the body's batch norm takes new statistics and, where the body is frozen, goes on learning. By
            default it does in the preset "lesson", and in a body that starts at random. With a few hundred photographs
            it costs a pretrained body accuracy, and a frozen one needs the backward pass for it.
        loss_func: by default cross-entropy.
        preset: "modern" or "lesson".
        seed: of the head's start, the batches, augmentation and dropout.
        learner: further arguments of `Learner`.

    Raises:
        UnknownNameError: no such architecture; with the closest names.
        ArtifactError: the weights are not there, or another architecture's.
    """
    require(isinstance(images, ImageData), f"images is {images!r:.80}; make it by ImageData.from_folder(...).")
    require(is_whole(width, 1), f"width is {width!r}; it is a whole number, 1 or more.")
    require(is_finite(ps) and 0 <= ps < 1, f"ps is {ps!r}; it is a share, 0 up to but not including 1.")
    require(isinstance(arch, str | nn.Module), f"arch is {arch!r}; it is a name of timm's, or a module.")
    own, knows = isinstance(arch, nn.Module), bool(pretrained or weights)
    train_bn = (preset == "lesson" or not knows) if train_bn is None else train_bn
    require(not (own and weights), "A module of your own brings its weights; leave out weights=...")
    require(own or cut is None, "cut belongs to a module of your own; timm's architectures are cut where they end.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = _body(arch, cut, images.size, pretrained, weights)
        recipe = Recipe(
            arch=arch if isinstance(arch, str) else None,
            cut=cut,
            classes=images.classes,
            size=images.size,
            stats=stats or (IMAGENET if isinstance(body, OwnBody) else (body.mean, body.std)),
            width=width,
            ps=ps,
            bias=preset == "lesson",
        )
        net = recipe.net(body, train_bn)
    check_arguments(vision_learner, learner)
    learner |= {"preset": preset, "seed": seed, "train_bn": train_bn}
    learn = VisionLearner(images, net, loss_func or nn.CrossEntropyLoss(), metrics, recipe=recipe, **learner)
    if knows and len(learn.layer_groups) > 1:
        learn.freeze()
    return learn


@dataclass(frozen=True)
class Recipe:
    """What it takes, besides weights, to read a photograph and to build the net again.

    Attributes:
        arch: name of the body's architecture; None for a module of your own.
        cut: number of children kept of such a module.
        classes: names, in the order of their numbers.
        size: side of the square that the model sees, in pixels.
        stats: (mean, std) of the colours, 0 to 1.
        width, ps, bias: of the head.
    """

    arch: str | None
    cut: int | None
    classes: tuple[str, ...]
    size: int
    stats: Stats
    width: int
    ps: float
    bias: bool

    def net(self, body: ImageBody | SmallBody | OwnBody, train_bn: bool) -> ImageNet:
        """The body with a new head."""
        head = image_head(body.n_features, len(self.classes), self.width, self.ps, self.bias)
        return ImageNet(body, head, *self.stats, train_bn=train_bn)


class Prediction(NamedTuple):
    """What a model says of one photograph.

    Attributes:
        label: the likeliest class.
        probabilities: of every class, by name.
    """

    label: str
    probabilities: dict[str, float]


class VisionLearner(ImageInsight, Learner):
    """A `Learner` for photographs, with the words that belong to them; made by `vision_learner`.

    Attributes:
        recipe: classes, size and what else a photograph's way to a prediction takes.
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
        """The likeliest class and the probabilities of a photograph, or a list of those for several.

        Args:
            pictures: a path, a picture of Pillow's or an array of bytes, (height, width, 3); or a list of such.

        Returns:
            A `Prediction`, as ``label, probabilities = learn.predict("ant.jpg")``; of a list, a list of them.

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
        outputs = self.session.outputs(self.model, self.rows_of([pictures] if single else pictures))
        probabilities: Tensor = activation_of(self.loss_func)(outputs)
        return probabilities.numpy()[0] if single else probabilities.numpy()

    def rows_of(self, pictures: Sequence[Any]) -> ImageRows:
        """Photographs as rows that the model takes: paths are decoded when a batch asks for them."""
        paths = [Path(one) if isinstance(one, str | Path) else Path() for one in pictures]
        kept = [None if isinstance(one, str | Path) else decode_image(one, self.recipe.size) for one in pictures]
        return ImageRows(paths, kept, torch.zeros(len(paths), dtype=torch.long), self.recipe.size)

    # ---------------------------------------------------------------- what did it get wrong

    def top_losses(self, n: int = 9) -> Any:
        """The validation photographs that the model gets most wrong: file, class, prediction, probability and loss.

        The probability is that of the class it is.
        """
        worst, losses, predicted = self._worst(n)
        target = self.data.valid.target.cpu().numpy()[worst]
        table = {
            "photograph": [str(self.data.valid.paths[at]) for at in worst],
            "class": [self.classes[at] for at in target],
            "prediction": [self.classes[at] for at in predicted.argmax(axis=1)],
            "probability": predicted[np.arange(len(worst)), target],
            "loss": losses,
        }
        return self.data.to_native(pl.DataFrame(table))

    def plot_top_losses(self, n: int = 9, path: str | None = None) -> "Figure":
        """The validation photographs that the model gets most wrong, with prediction, class, loss and probability."""
        from vectable.plotting import photograph_grid

        worst, losses, predicted = self._worst(n)
        rows, pictures, titles = self.data.valid, [], []
        for at, loss, probabilities in zip(worst, losses, predicted, strict=True):
            target = int(rows.target[at])
            pictures.append(center_crop(rows.picture(at), rows.size))
            said, was = self.classes[probabilities.argmax()], self.classes[target]
            titles.append(f"{said}, is {was}\nloss {loss:.2f}, probability {probabilities[target]:.2f}")
        return photograph_grid(pictures, titles, path)

    def confusion_matrix(self) -> Any:
        """Validation photographs by class (rows of the table) and prediction (columns)."""
        return self.data.to_native(self._confusion())

    def plot_confusion(self, path: str | None = None) -> "Figure":
        """The confusion matrix as a picture."""
        return draw_confusion(self._confusion(), path)

    def _worst(self, n: int) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        return worst_rows(self.data.valid, partial(self.session.outputs, self.model), self.loss_func, n)

    def _confusion(self) -> pl.DataFrame:
        require(len(self.data.valid) > 0, "There are no validation rows to look at; hold some out with valid_pct.")
        return confusion_table(self.classes, *self.get_preds())

    def _check_data(self, data: Any) -> None:
        """Raise a `DataError` for photographs of other classes or of another size than the model was made for."""
        require(isinstance(data, ImageData), f"data is {data!r:.80}; a model of photographs needs ImageData.")
        _check_classes(self.recipe, data)

    # ---------------------------------------------------------------- saving

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds; the photographs are not in it."""
        contents = super().to_contents()
        contents.kind = "images"
        contents.settings["recipe"] = asdict(self.recipe)
        return contents

    @classmethod
    def from_contents(
        cls, contents: "Contents", model: nn.Module | None = None, data: ImageData | None = None, **more: Any
    ) -> "VisionLearner":
        """The learner back from a saved folder's contents.

        Args:
            model: the module, where the body was one of your own.
            data: photographs of the same classes, to measure on or to go on training with.
        """
        settings = contents.settings
        form = settings["recipe"]
        mean, std = form["stats"]
        recipe = Recipe(**form | {"classes": tuple(form["classes"]), "stats": (tuple(mean), tuple(std))})
        if recipe.arch is None and model is None:
            raise ArtifactError(
                "This folder holds the weights of a body of your own, and no code: make one and hand it in, "
                "load_learner(path, model=...)."
            )
        if data is not None:
            _check_classes(recipe, data)
        body = _body(recipe.arch or model, recipe.cut, recipe.size, pretrained=False)
        options = saved_options(settings, more)
        net = recipe.net(body, options["train_bn"])
        learn = cls(data or NoData(), net, recipe=recipe, **options)  # type: ignore[arg-type]
        learn.take_state(contents)
        return learn


def _body(
    arch: str | nn.Module | None, cut: int | None, size: int, pretrained: bool, weights: str | Path | None = None
) -> ImageBody | SmallBody | OwnBody:
    if isinstance(arch, nn.Module):
        return OwnBody(arch, cut, size)
    body = SmallBody(pretrained, weights) if arch == FASHION_SMALL else ImageBody(str(arch), pretrained, weights)
    channels_of(body, size, f"{arch!r}")
    return body


def _check_classes(recipe: Recipe, data: ImageData) -> None:
    if (data.classes, data.size) != (recipe.classes, recipe.size):
        raise DataError(
            f"The model tells {quote_some(recipe.classes)} apart in images of {recipe.size} pixels; these are "
            f"{quote_some(data.classes)} in {data.size}."
        )
