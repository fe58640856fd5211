"""What a learner of photographs can be asked about the inside of its net."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.images.image_data import ImageData
from vectable.data.images.image_rows import ImageInputs
from vectable.deprecation import renamed_method
from vectable.errors import UnknownNameError, did_you_mean, quote_some, require
from vectable.insight.activations import Activations, activations_of
from vectable.insight.filters import Filters, filters_of
from vectable.insight.grad_cam import ClassActivationMap, class_activations
from vectable.insight.image_search import ImageIndex, SimilarImages
from vectable.insight.layers import last_map, list_layers
from vectable.insight.top_patches import TopPatches, top_activating_patches

Photograph = Any  # a path, a Pillow image, or an array of bytes


class ImageClassifier(Protocol):
    """What a learner of photographs shows of itself, and all that is needed to look inside its net."""

    data: ImageData

    @property
    def model(self) -> nn.Module:
        """The net."""

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their numbers."""

    def predict_proba(self, pictures: Any) -> NDArray[Any]:
        """Probability of each class: (classes,) for one photograph, (photographs, classes) for a list."""

    def inputs_of(self, pictures: Sequence[Photograph]) -> ImageInputs:
        """Photographs as the net takes them."""


class ImageInsight:
    """Methods for an `ImageClassifier`. A layer is a name or a number of `layers`; by default the last with maps."""

    def layers(self: ImageClassifier) -> Any:
        """The layers that can be asked about: number, layer (name), kind, activations (shape), parameters.

        Those that hold others, such as "body", can be asked about by name too.
        """
        return self.data.to_native(list_layers(self.model, (_black_image(self),)))

    def filters(self: ImageClassifier, layer: str | int | None = None) -> Filters:
        """The filters of a convolution, by default the first; `.plot()` draws them.

        Raises:
            UnknownNameError: no such layer; with the closest names.
            VectableError: the layer is not a convolution.
        """
        return filters_of(self.model, layer)

    def activations(
        self: ImageClassifier, photograph: Photograph, layer: str | int | None = None, of: str | None = None
    ) -> Activations:
        """What a layer makes of a photograph: `.values`, (channels, rows, columns); `.plot()` draws the strongest.

        Args:
            photograph: a path, a Pillow image or an array of bytes, (height, width) or (height, width, 3).
            layer: its name or number.
            of: a class; the gradient of its output with respect to those values comes along as `.gradients`.

        Raises:
            UnknownNameError: no such layer or class; with the closest names.
            DataError: a file that cannot be read, by name.
        """
        output = None if of is None else _class_number(self, of)
        return activations_of(self.model, _as_seen(self, photograph), _layer(self, layer), output)

    def grad_cam(
        self: ImageClassifier, photograph: Photograph, of: str | None = None, layer: str | int | None = None
    ) -> ClassActivationMap:
        """Where a photograph speaks for a class (Grad-CAM), by default the likeliest; `.plot()` lays it over the image.

        Args:
            photograph: as for `activations`.
            of: the class.
            layer: its name or number; one that makes maps.

        Raises:
            UnknownNameError: no such layer or class; with the closest names.
            DataError: a file that cannot be read, by name.
        """
        probabilities = self.predict_proba(photograph)
        number = int(probabilities.argmax()) if of is None else _class_number(self, of)
        seen = activations_of(self.model, _as_seen(self, photograph), _layer(self, layer), number)
        values = class_activations(seen)
        return ClassActivationMap(self.classes[number], float(probabilities[number]), values, seen.picture, seen.layer)

    def top_activating_patches(
        self: ImageClassifier,
        layer: str | int | None = None,
        channels: int | Sequence[int] | None = None,
        n: int = 9,
        on: str = "valid",
    ) -> TopPatches:
        """The patches of the validation (or "train") photographs that activate channels of a layer most.

        By default of the six channels whose largest activation stands out most; `.plot()` draws a row per channel.

        Raises:
            UnknownNameError: no such layer; with the closest names.
            VectableError: no photographs, no such channel, or a layer without maps.
        """
        require(on in ("train", "valid"), f"on must be 'train' or 'valid'; got {on!r}.")
        rows = self.data.train if on == "train" else self.data.valid
        return top_activating_patches(self.model, rows, _layer(self, layer), channels, n)

    def similar_images(
        self: ImageClassifier, photograph: Photograph, n: int = 9, layer: str | int | None = None, components: int = 50
    ) -> SimilarImages:
        """The photographs of the data that the net sees as most similar to one; itself, known by its file, left out.

        For many questions, `image_index` reads the photographs once.

        Args:
            photograph: as for `activations`.
            n: number of photographs.
            layer: its name or number.
            components: principal components that are kept, at most.
        """
        return _index(self, layer, components).search(photograph, n)

    def image_index(self: ImageClassifier, layer: str | int | None = None, components: int = 50) -> ImageIndex:
        """The training and validation photographs, read once for many calls of ``index.search(photograph, n)``."""
        return _index(self, layer, components)

    class_map = renamed_method("class_map", grad_cam)
    exciting_patches = renamed_method("exciting_patches", top_activating_patches)


def _index(learn: ImageClassifier, layer: str | int | None, components: int) -> ImageIndex:
    sets = {"train": learn.data.train, "valid": learn.data.valid}

    def read(photograph: Photograph) -> Tensor:
        return _as_seen(learn, photograph)

    return ImageIndex(learn.model, sets, tuple(learn.classes), read, _layer(learn, layer), components)


def _as_seen(learn: ImageClassifier, photograph: Photograph) -> Tensor:
    """A photograph as the net sees it, (3, side, side) bytes."""
    with torch.no_grad():
        (pictures,) = learn.inputs_of([photograph]).inputs_of(slice(0, 1))
    return pictures[0]


def _black_image(learn: ImageClassifier) -> Tensor:
    """(1, 3, side, side) bytes, all zero."""
    side = learn.inputs_of([]).size
    return torch.zeros(1, 3, side, side, dtype=torch.uint8, device=next(learn.model.parameters()).device)


def _layer(learn: ImageClassifier, layer: str | int | None) -> str | int:
    return last_map(learn.model, _black_image(learn)) if layer is None else layer


def _class_number(learn: ImageClassifier, name: str) -> int:
    if name not in learn.classes:
        hint = did_you_mean(name, learn.classes)
        raise UnknownNameError(f"There is no class {name!r}.{hint} There are {quote_some(learn.classes, 20)}.")
    return learn.classes.index(name)
