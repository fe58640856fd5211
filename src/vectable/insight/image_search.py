"""Searching photographs by likeness: their activations in a layer, squeezed through principal components."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.images.image_decoding import center_crop
from vectable.errors import is_whole, require
from vectable.insight.activations import activations_of
from vectable.insight.layers import find_layer
from vectable.insight.over_rows import activations_over

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.data.images.image_decoding import Picture
    from vectable.data.images.image_rows import ImageRows


@dataclass(repr=False)
class SimilarImages:
    """Photographs that a net sees as alike, the likest first.

    Attributes:
        table: likeness (cosine, -1 to 1), class, set ("train" or "valid"), row (number in the set), photograph (its
            file; null where it came as an array).
        picture: what was asked about, as the net saw it, (side, side, 3) bytes.
        pictures: what was found, in the order of the table.
    """

    table: pl.DataFrame
    picture: "Picture"
    pictures: "list[Picture]"

    def plot(self, path: str | None = None) -> "Figure":
        """What was asked about, and what was found."""
        from vectable.plotting import photograph_grid

        found = [f"{name} {likeness:.2f}" for name, likeness in self.table.select("class", "likeness").iter_rows()]
        return photograph_grid([self.picture, *self.pictures], ["like this:", *found], path)

    def __repr__(self) -> str:
        """The table."""
        return repr(self.table)


class ImageIndex:
    """Photographs by what a layer makes of them, for many searches; to be built again when the net has learned more.

    A map is averaged over its positions. The numbers that are left are squeezed through principal components
    (scikit-learn's PCA), and compared by the cosine of what comes out, so that what all photographs have in common does
    not count.

    Args:
        model: in evaluation mode while it is asked.
        sets: the photographs, by the name of their set.
        classes: names, in the order of their numbers.
        read: from a photograph to what the net takes, (3, side, side) bytes.
        layer: its name or number.
        components: most that are kept.

    Attributes:
        layer: its full name.
        explained: share of the variance that the components hold, 0 to 1.
    """

    def __init__(
        self,
        model: nn.Module,
        sets: "Mapping[str, ImageRows]",
        classes: tuple[str, ...],
        read: Callable[[Any], Tensor],
        layer: str | int,
        components: int = 50,
    ) -> None:
        from sklearn.decomposition import PCA

        require(is_whole(components, 1), f"components must be a positive integer; got {components!r}.")
        self.model, self.classes, self.read = model, classes, read
        self.sets = {name: rows for name, rows in sets.items() if len(rows)}
        require(bool(self.sets), "There are no photographs to search.")
        self.layer, _ = find_layer(model, layer)
        blocks = [pooled(block) for rows in self.sets.values() for block in activations_over(model, rows, self.layer)]
        features = np.concatenate(blocks)
        self._pca: Any = PCA(min(components, *features.shape), svd_solver="full").fit(features)
        self.explained = float(self._pca.explained_variance_ratio_.sum())
        self._vectors = self._squeezed(features)
        self._rows = [(name, row) for name, rows in self.sets.items() for row in range(len(rows))]

    def search(self, photograph: Any, n: int = 9) -> SimilarImages:
        """The `n` photographs most like one, itself, recognized by its file, left out.

        Args:
            photograph: a path, a Pillow image or an array of bytes, (height, width) or (height, width, 3).
            n: how many; fewer where there are fewer.
        """
        require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
        itself = Path(photograph) if isinstance(photograph, str | Path) else None
        asked = activations_of(self.model, self.read(photograph), self.layer)
        likeness = self._vectors @ self._squeezed(pooled(asked.values[None]))[0]
        order = [at for at in np.argsort(-likeness, kind="stable") if not self._is_file(at, itself)][:n]
        found, pictures = [], []
        for at in order:
            name, row = self._rows[at]
            rows = self.sets[name]
            found.append(
                {"likeness": float(likeness[at]), "class": self.classes[int(rows.target[row])], "set": name, "row": row,
                 "photograph": str(rows.paths[row]) if rows.paths[row].name else None}
            )  # fmt: skip
            pictures.append(center_crop(rows.picture(row), rows.size))
        return SimilarImages(pl.DataFrame(found, schema_overrides={"photograph": pl.String}), asked.picture, pictures)

    def _is_file(self, at: int, file: Path | None) -> bool:
        name, row = self._rows[at]
        path = self.sets[name].paths[row]
        return file is not None and path.name == file.name and path.resolve() == file.resolve()

    def _squeezed(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """On the components, each vector of length 1."""
        scores: NDArray[np.float32] = self._pca.transform(features)
        scores /= np.maximum(np.linalg.norm(scores, axis=1, keepdims=True), 1e-12)
        return scores

    def __repr__(self) -> str:
        """Counts."""
        kept = f"{self._pca.n_components_} components with {self.explained:.0%} of the variance"
        return f"ImageIndex({len(self._rows):,} photographs by {self.layer}, {kept})"


def pooled(values: Any) -> NDArray[np.float32]:
    """A layer's output as numbers, (photographs, features): maps are averaged over their positions, tokens over all."""
    array: NDArray[np.float32] = np.asarray(values, dtype=np.float32)
    over = {3: (1,), 4: (2, 3)}.get(array.ndim)
    return array.reshape(len(array), -1) if over is None else array.mean(axis=over, dtype=np.float32)
