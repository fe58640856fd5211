"""What in a photograph decided for a class: Grad-CAM (gradient-weighted class activation maps)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vectable.errors import VectableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.data.images.image_decoding import Picture
    from vectable.insight.activations import Activations


@dataclass(repr=False)
class ClassActivationMap:
    """Where in a photograph a layer speaks for a class.

    Attributes:
        of: the class.
        probability: that the net gives it, 0 to 1.
        values: (rows, columns), 0 or more, in units of the net's output for the class.
        picture: the photograph as the net saw it, (side, side, 3) bytes.
        layer: whose activations were looked at.
    """

    of: str
    probability: float
    values: NDArray[np.float32]
    picture: "Picture"
    layer: str

    def plot(self, path: str | None = None) -> "Figure":
        """The photograph, and the map over it: the brighter, the more it speaks for the class."""
        from vectable.plotting import photograph_grid, save

        fig = photograph_grid([self.picture, self.picture], ["", f"{self.of}: {self.probability:.0%}"])
        side = self.picture.shape[:2]
        over = fig.axes[1]
        over.imshow(
            self.values,
            extent=(-0.5, side[1] - 0.5, side[0] - 0.5, -0.5),
            interpolation="bilinear",
            cmap="inferno",
            alpha=0.55,
            vmin=0.0,
            vmax=float(self.values.max()) or 1.0,
        )
        return save(fig, path)

    def __repr__(self) -> str:
        """Class, probability and where the map is highest."""
        row, column = np.unravel_index(int(self.values.argmax()), self.values.shape)
        where = f"highest at row {row}, column {column} of {self.values.shape[0]} x {self.values.shape[1]}"
        return f"ClassActivationMap({self.of}, probability {self.probability:.3f}; {where}; {self.layer})"


def class_activations(activations: "Activations") -> NDArray[np.float32]:
    """The positive part of the sum of the channels, each weighted with the mean over its positions of the gradient.

    Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, formulas 1 and 2). For a net that ends in a mean over the
    positions and one linear layer it is the class activation map of Zhou et al. 2016 (arXiv 1512.04150), divided by the
    number of positions, without what is negative.

    Args:
        activations: of a layer that makes maps, with the gradient of the output asked about.

    Returns:
        (rows, columns), 0 or more.

    Raises:
        VectableError: the layer makes no maps.
    """
    if activations.gradients is None or activations.values.ndim != 3:
        raise VectableError(
            "Grad-CAM needs a layer that makes maps (channels, rows, columns), with gradients; "
            f"{activations.layer!r} makes {activations.values.shape}."
        )
    weights = activations.gradients.mean(axis=(1, 2))
    return np.maximum(np.tensordot(weights, activations.values, axes=1), 0)
