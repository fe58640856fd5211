"""What a learner of photographs can be asked about the inside of its net."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vectable.errors import UnknownNameError, did_you_mean, quote_some, require
from vectable.insight.activations import Activations, activations_of
from vectable.insight.class_map import ClassMap, grad_cam
from vectable.insight.exciting_patches import ExcitingPatches, exciting_patches
from vectable.insight.filters import Filters, filters_of
from vectable.insight.image_search import ImageIndex, SimilarImages
from vectable.insight.layers import last_map, list_layers

if TYPE_CHECKING:
    from vectable.data.images.image_data import ImageData
    from vectable.data.images.image_rows import ImageRows

Photograph = Any  # a path, a picture of Pillow's, or an array of bytes


class ImageInsight:
    """Methods of a learner of photographs. A layer is a name or a number of `layers`; by default the last with maps."""

    if TYPE_CHECKING:
        model: nn.Module
        data: ImageData

        @property
        def classes(self) -> list[str]:
            """Names of the classes."""

        def predict_proba(self, pictures: Sequence[Photograph]) -> Any:
            """(photographs, classes)."""

        def rows_of(self, pictures: Sequence[Photograph]) -> ImageRows:
            """Photographs as rows that the model takes."""

    def layers(self) -> Any:
        """The layers that can be asked about: number, layer (name), kind, activations (shape), parameters.

        Those that hold others, as "body", can be asked about by name too.
        """
        return self.data.to_native(list_layers(self.model, (self._nothing(),)))

    def filters(self, layer: str | int | None = None) -> Filters:
        """The filters of a convolution, by default the first; `.plot()` draws them.

        Raises:
            UnknownNameError: no such layer; with the closest names.
            VectableError: the layer is no convolution.
        """
        return filters_of(self.model, layer)

    def activations(self, photograph: Photograph, layer: str | int | None = None, of: str | None = None) -> Activations:
        """What a layer makes of a photograph: `.values`, (channels, rows, columns); `.plot()` draws the strongest.

        Args:
            photograph: a path, a picture of Pillow's or an array of bytes, (height, width) or (height, width, 3).
            layer: its name or number.
            of: a class, whose output's gradient by those values comes along as `.gradients`.

        Raises:
            UnknownNameError: no such layer or class; with the closest names.
            DataError: a file that cannot be read, by name.
        """
        output = None if of is None else self._class_number(of)
        return activations_of(self.model, self._picture(photograph), self._layer(layer), output)

    def class_map(self, photograph: Photograph, of: str | None = None, layer: str | int | None = None) -> ClassMap:
        """Where a photograph speaks for a class (Grad-CAM), by default the likeliest; `.plot()` shows it over it.

        Args:
            photograph: as for `activations`.
            of: the class.
            layer: its name or number; one that makes maps.

        Raises:
            UnknownNameError: no such layer or class; with the closest names.
        """
        probabilities = self.predict_proba([photograph])[0]
        number = int(probabilities.argmax()) if of is None else self._class_number(of)
        seen = activations_of(self.model, self._picture(photograph), self._layer(layer), number)
        return ClassMap(self.classes[number], float(probabilities[number]), grad_cam(seen), seen.picture, seen.layer)

    def exciting_patches(
        self,
        layer: str | int | None = None,
        channels: int | Sequence[int] | None = None,
        n: int = 9,
        on: str = "valid",
    ) -> ExcitingPatches:
        """The patches of the validation (or "train") photographs that excite channels of a layer most.

        By default of the six channels whose largest activation stands out most; `.plot()` draws a row a channel.

        Raises:
            UnknownNameError: no such layer; with the closest names.
            VectableError: no photographs, no such channel, or a layer without maps.
        """
        return exciting_patches(self.model, self._rows(on), self._layer(layer), channels, n)

    def similar_images(
        self, photograph: Photograph, n: int = 9, layer: str | int | None = None, components: int = 50
    ) -> SimilarImages:
        """The photographs of the data that the net sees as most like one; itself, told by its file, left out.

        For many questions, `image_index` looks at the photographs once.

        Args:
            photograph: as for `activations`.
            n: how many.
            layer: its name or number.
            components: principal components that are kept, at most.
        """
        return self.image_index(layer, components).search(photograph, n)

    def image_index(self, layer: str | int | None = None, components: int = 50) -> ImageIndex:
        """The training and validation photographs, looked at once for many an ``index.search(photograph, n)``."""
        sets = {"train": self.data.train, "valid": self.data.valid}
        return ImageIndex(self.model, sets, tuple(self.classes), self._picture, self._layer(layer), components)

    def _picture(self, photograph: Photograph) -> Tensor:
        """As the net sees it, (3, side, side) bytes."""
        with torch.no_grad():
            (pictures,), _ = self.rows_of([photograph]).batch(slice(0, 1))
        return pictures[0]

    def _nothing(self) -> Tensor:
        """A black picture, (1, 3, side, side) bytes."""
        side = self.rows_of([]).size
        return torch.zeros(1, 3, side, side, dtype=torch.uint8, device=next(self.model.parameters()).device)

    def _layer(self, layer: str | int | None) -> str | int:
        return last_map(self.model, self._nothing()) if layer is None else layer

    def _rows(self, on: str) -> "ImageRows":
        require(on in ("train", "valid"), f"on is {on!r}; it is 'train' or 'valid'.")
        return self.data.train if on == "train" else self.data.valid

    def _class_number(self, name: str) -> int:
        if name not in self.classes:
            hint = did_you_mean(name, self.classes)
            raise UnknownNameError(f"There is no class {name!r}.{hint} There are {quote_some(self.classes, 20)}.")
        return self.classes.index(name)
