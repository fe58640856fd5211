"""Piecewise-linear bins: a number as how far it reaches into each of a row of intervals.

Gorishniy, Rubachev & Babenko 2022, arXiv 2203.05556. Interval t of a number x is
``clip((x - b_t) / (b_t+1 - b_t), 0, 1)``: a net sees at once where on the scale it stands, which trees do and plain
nets do not. The net adds a step at every inner border (`models.tabular.PiecewiseLinear`), so that it may jump there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.encoders.graph import Value
from vectable.data.encoders.weighted import weighted_mean_std, weighted_quantile
from vectable.errors import require
from vectable.folder_schema import list_of, number, one_of, record, whole, wrong

HOW = ("quantile", "tree")
FORM = record(how=one_of(*HOW), n_bins=whole(1), min_leaf=number(0), borders=list_of(number()))  # of a saved encoder
LEAST_GAIN = 10  # times what a split by chance would explain of the target


class PiecewiseLinearBins:
    """Borders of the intervals of one column.

    Args:
        how: "quantile": as many training rows in each; "tree": where a decision tree for the target splits, as long as
            a split explains ten times as much of the target as one by chance would.
        n_bins: largest number of bins.
        min_leaf: fewest training rows on each side of a tree's split.

    Attributes:
        borders: increasing, (bins + 1,); for a column of one value that value, and so no bins.

    Examples:
        >>> import numpy as np, vectable as vt
        >>> ages = np.array([20.0, 30.0, 40.0, 50.0])
        >>> bins = vt.PiecewiseLinearBins("quantile", n_bins=2).fit(ages)
        >>> bins.encode([20.0, 35.0, 50.0]).tolist()
        [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, how: str = "tree", n_bins: int = 48, min_leaf: int = 4) -> None:
        require(how in HOW, f"how must be one of {list(HOW)}; got {how!r}.")
        require(n_bins >= 1, f"n_bins must be a positive integer; got {n_bins}.")
        self.how, self.n_bins, self.min_leaf = how, n_bins, min_leaf
        self.borders: NDArray[np.float64] = np.zeros(0)

    def fit(
        self,
        values: NDArray[np.float64],
        target: NDArray[Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> "PiecewiseLinearBins":
        """Learn the borders from training values, (rows,), none of them missing, and for "tree" their targets.

        The target is a number or, as whole numbers, a class.
        """
        values = np.asarray(values, dtype=np.float64)
        distinct = np.unique(values)
        if len(distinct) < 2:
            self.borders = distinct.astype(np.float64)
            return self
        if self.how == "tree":
            require(target is not None, "Bins from a tree need the target; give it, or take how='quantile'.")
            inner = self._tree_splits(values, np.asarray(target), weights)
        else:
            shares = np.arange(1, self.n_bins) / self.n_bins
            inner = np.array([weighted_quantile(values, share, weights) for share in shares])
        inner = inner[(inner > distinct[0]) & (inner < distinct[-1])]
        self.borders = np.unique(np.concatenate([distinct[:1], inner, distinct[-1:]]))
        return self

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """How far each value reaches into each interval, (rows, bins), 0 to 1."""
        left, width = self.borders[:-1], np.diff(self.borders)
        reach = (np.asarray(values, dtype=np.float64)[:, None] - left) / width
        return np.clip(reach, 0, 1).astype(np.float32)

    def encode_one(self, value: float) -> NDArray[np.float32]:
        """`encode` for one number, (bins,)."""
        return np.asarray(self.encode(np.array([value]))[0])

    def decode(self, encoded: NDArray[Any]) -> NDArray[np.float64]:
        """The values, those beyond the outer borders brought to them."""
        return np.asarray(self.borders[0] + np.asarray(encoded, dtype=np.float64) @ np.diff(self.borders))

    def to_onnx(self, value: Value) -> Value:
        """`encode` of a column of 64-bit floats, (rows, bins) float32."""
        graph = value.graph
        if len(self.borders) < 2:
            return graph.side_by_side([], "float32")
        reach = (value.as_column() - graph.constant(self.borders[:-1])) / graph.constant(np.diff(self.borders))
        return reach.clip(0.0, 1.0).cast("float32")

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {"how": self.how, "n_bins": self.n_bins, "min_leaf": self.min_leaf, "borders": self.borders.tolist()}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "PiecewiseLinearBins":
        """The encoder back from `to_json`."""
        form = FORM(form, "bins")
        encoder = cls(form["how"], form["n_bins"], form["min_leaf"])
        encoder.borders = np.array(form["borders"], dtype=np.float64)
        if not (np.diff(encoder.borders) > 0).all():
            wrong("bins.borders", form["borders"], "increasing")
        return encoder

    def _tree_splits(
        self, values: NDArray[np.float64], target: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        classes = target.dtype.kind in "iub"
        kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
        total = float(len(values) if weights is None else weights.sum())
        impurity = _gini(target, weights) if classes else weighted_mean_std(target, weights)[1] ** 2
        tree = kind(
            max_leaf_nodes=max(self.n_bins, 2),
            min_weight_fraction_leaf=min(self.min_leaf / total, 0.5),
            min_impurity_decrease=LEAST_GAIN * impurity / total,  # by chance it is impurity / total in the mean
            random_state=0,
        )
        tree.fit(values[:, None], target, sample_weight=weights)
        return np.sort(tree.tree_.threshold[tree.tree_.children_left >= 0])


def _gini(classes: NDArray[Any], weights: NDArray[np.float64] | None) -> float:
    """The chance that two rows drawn at random are of different classes."""
    shares = np.bincount(classes, weights)
    return float(1 - ((shares / shares.sum()) ** 2).sum())
