"""Which model to use, for whatever is known of users and items: ratings, or interactions without any."""

from typing import Any

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.interactions.comparison import ListComparison, compare_interactions
from vectable.ratings.comparison import Comparison
from vectable.ratings.comparison import compare as compare_ratings


def compare(data: Any, *args: Any, **how: Any) -> Comparison | ListComparison:
    """Fit every model of the program on the same split, and measure each on what was held out.

    Args:
        data: `RatingsData` or `InteractionsData`.
        how: of ratings the arguments of `vectable.ratings.comparison.compare` (models, seeds, ...), of interactions
            those of `vectable.interactions.comparison.compare_interactions` (k, progress).

    Returns:
        Of ratings a table of errors with paired intervals (`Comparison`); of interactions the figures of lists beside
        popularity, and what each model costs (`ListComparison`).

    Raises:
        VectableError: an argument out of range, or nothing held out.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> found = vt.compare(data, ["global mean", "biases", "gradient"])
        >>> found.best
        'gradient'
    """
    if isinstance(data, InteractionsData):
        return compare_interactions(data, *args, **how)
    return compare_ratings(data, *args, **how)
