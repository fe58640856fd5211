"""What a model of ratings learned: biases, factors, principal components, maps, neighbours, vectors as files."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.deprecation import renamed_method
from vectable.insight.components import principal_components
from vectable.recommending.answer import Notes
from vectable.recommending.likeness import check_neighbours
from vectable.recommending.names import find_code, find_codes
from vectable.recommending.presenting import warn_of
from vectable.recommending.recommender import Recommender

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RatingInsight:
    """What can be seen in a model of ratings, however it was trained; the learner brings `data` and `recommender`."""

    data: RatingsData

    @property
    def recommender(self) -> Recommender:
        """Answers from the weights as they are now."""
        raise NotImplementedError

    def bias(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Biases of items (or users) by id or title, (names,): how far above what factors explain they are rated."""
        return self._biases(is_item)[self._codes_named(names, is_item)]

    def weight(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Factors of items (or users) by id or title, (names, n_factors); an ensemble's members side by side."""
        return self._vectors(is_item)[self._codes_named(names, is_item)]

    def biases(self, top: int = 1000) -> Any:
        """The `top` most-rated items: bias, plain mean rating and number of ratings, highest bias first."""
        codes, data = self._most_rated(top), self.data
        figures = {"bias": self._biases(True)[codes], "mean_rating": data.item_means[codes]}
        shown = data.item_frame(codes, **figures, ratings=data.item_counts[codes])
        return data.to_native(shown.sort("bias", descending=True))

    def components(self, k: int = 3, top: int = 1000) -> tuple[Any, NDArray[np.float64]]:
        """The `top` most-rated items on the first `k` principal components of their factors.

        Returns:
            A table with a column per component ("factor 0", ...), and the share of variance each explains, (k,).
        """
        codes = self._most_rated(top)
        scores, shares = principal_components(self._vectors(True)[codes], k)
        columns = {f"factor {at}": scores[:, at] for at in range(k)}
        return self.data.to_native(self.data.item_frame(codes, **columns)), shares

    def plot_map(self, x: int = 0, y: int = 1, show: int = 50, top: int = 1000, path: str | None = None) -> "Figure":
        """The `show` most-rated items on components `x` and `y` (found over the `top` most-rated), with their names."""
        from vectable.insight.factor_map import labelled_map

        codes = self._most_rated(top)
        scores, shares = principal_components(self._vectors(True)[codes], max(x, y) + 1)
        names = [f"factor {at} ({shares[at]:.0%} of the variance)" for at in (x, y)]
        labels = self.data.item_names(codes[:show]).to_list()
        return labelled_map(scores[:show][:, [x, y]], labels, (names[0], names[1]), path)

    map = renamed_method("map", plot_map)

    def similar(self, item: Any, n: int = 10, min_ratings: int | None = None) -> Any:
        """The `n` items most like `item` (id or title): rated by the same people, and alike.

        The likeness, -1 to 1, is the mean of two cosines, of the items' factors (weight 0.6) and of their audiences'
        (the vectors of those who rated them, 0.4), shrunk by the neighbour's number of ratings, n / (n + 20); see
        `vectable.recommending.likeness`.

        Args:
            min_ratings: which a neighbour must have; by default 5, or none where most items have fewer.

        Returns:
            A table of items, the most alike first, with the likeness and the number of ratings of each.
        """
        check_neighbours(n, min_ratings)
        code = find_code(self.data, item, True)
        codes, likeness = self.recommender.similar(code, n, min_ratings)
        return self.data.to_native(
            self.data.item_frame(codes, similarity=likeness, ratings=self.data.item_counts[codes])
        )

    def export_vectors(self, path: str | Path, is_item: bool = True) -> list[Path]:
        """Write id, name, number of ratings, bias and factors of every item (or user).

        `.parquet`, `.arrow` and `.csv` give one table; `.tsv` the pair that the TensorBoard projector reads: the
        vectors, and their names in `..._metadata.tsv`.

        Returns:
            The files written.
        """
        from vectable.insight.vectors import export_vectors

        data, ids = self.data, self.data.item_ids if is_item else self.data.user_ids
        codes = np.arange(1, len(ids), dtype=np.int32)
        counts = data.item_counts if is_item else np.diff(data.by_user[0])
        about = data.item_frame(codes) if is_item else pl.DataFrame({data.columns.user: ids.vocabulary})
        about = about.with_columns(pl.Series("ratings", counts[1:]))
        if self.recommender.model.has_biases:
            about = about.with_columns(pl.Series("bias", self._biases(is_item)[1:]))
        return export_vectors(Path(path), about, self._vectors(is_item)[1:])

    # ---------------------------------------------------------------- inside

    def _codes_named(self, names: Iterable[Any], is_item: bool) -> NDArray[np.int32]:
        notes = Notes()
        codes = find_codes(self.data, names, is_item, notes)
        warn_of(notes)
        return codes

    def _biases(self, of_items: bool) -> NDArray[np.float32]:
        return np.asarray(self.recommender.model.biases(of_items).cpu().numpy())

    def _vectors(self, of_items: bool) -> NDArray[np.float32]:
        return np.asarray(self.recommender.model.vectors(of_items).cpu().numpy())

    def _most_rated(self, top: int) -> NDArray[np.int32]:
        counts = self.data.item_counts
        return np.argsort(-counts[1:], kind="stable")[:top].astype(np.int32) + 1
