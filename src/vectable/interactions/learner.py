"""A learner of interactions: fits models of histories, keeps the best, and answers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.console import Console

from vectable.artifact import Contents
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.interactions.saved_interactions import from_saved, to_saved
from vectable.errors import VectableError, is_finite, require
from vectable.factorising.als import ALSOptions, ImplicitALS
from vectable.factorising.history_models import FactorModel, HistoryModel
from vectable.folder_schema import (
    Default,
    any_number,
    either,
    list_of,
    map_of,
    mapping,
    number,
    optional,
    record,
    text,
)
from vectable.insight.components import principal_components
from vectable.insight.neighbours import directions_of
from vectable.insight.vectors import export_vectors
from vectable.interactions.candidates import Candidate, Fitter, to_rows
from vectable.interactions.folded_history import FoldedHistory, history_of
from vectable.interactions.history_recommender import HistoryRecommender, history_request
from vectable.interactions.interaction_features import InteractionFeatures
from vectable.interactions.model_parts import model_from_parts, model_to_parts, saved_directions
from vectable.interactions.new_row_parts import new_rows_from_parts, new_rows_to_parts, own_factors
from vectable.interactions.new_rows import NewRows, need_new_rows
from vectable.interactions.presenting import lists_frame, one_list_frame, reasons_frame
from vectable.interactions.selecting import Trial, choose, measure, some_users
from vectable.recommending.answer import Notes
from vectable.recommending.likeness import check_neighbours
from vectable.recommending.names import find_code, listed
from vectable.recommending.presenting import warn_of
from vectable.recommending.request import ListRequest
from vectable.training.saved_as_folder import SavedAsFolder, needs_training_data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float32]

VECTOR_FACTORS = 32  # of items, for models that have no factors of their own
VECTOR_EPOCHS = 8


LEARNER = record(
    candidates=list_of(mapping, 1, 100),
    chosen=mapping,
    als=map_of(any_number),
    alpha=number(0),
    tried=list_of(map_of(either(any_number, text)), 0, 100),
    model=mapping,
    features=Default("auto", either(optional(list_of(text, 0, 10_000)), text)),
    new_rows=Default(None, optional(mapping)),
    sasrec=Default({}, mapping),
)
"""The form of a learner's settings in a saved folder."""


class InteractionLearner(SavedAsFolder):
    """What both learners of interactions share; made by `implicit_learner` and `next_item_learner`.

    It has more than a dozen methods because each answers one question that a user asks; most are a line or two.

    Attributes:
        data: the interactions.
        candidates: what `fit` tries.
        chosen: the candidate that is kept, None before `fit`.
        tried: what each candidate scored on the validation part, a row each.
    """

    kind: ClassVar[str]
    in_order: ClassVar[bool]

    def __init__(
        self,
        data: InteractionsData,
        candidates: Sequence[Candidate],
        *,
        als: Mapping[str, Any] | None = None,
        alpha: float | None = None,
        features: str | Sequence[str] | None = "auto",
        sasrec: Mapping[str, Any] | None = None,
        progress: bool | Console = True,
    ) -> None:
        require(alpha is None or (is_finite(alpha) and alpha >= 0), f"alpha must be a number from 0 on; got {alpha!r}.")
        counts = data.interactions.count
        self.data, self.candidates, self.progress = data, list(candidates), progress
        self.als, self.sasrec = dict(als or {}), dict(sasrec or {})
        self.alpha = alpha if alpha is not None else float(bool(len(counts)) and bool((counts != counts[0]).any()))
        self.features = list(features) if isinstance(features, tuple) else features
        self.chosen: Candidate | None = None
        self.tried = pl.DataFrame()
        self._answers: HistoryRecommender | None = None
        self._new: NewRows | None = None

    # ---------------------------------------------------------------- fitting

    @needs_training_data
    def fit(self, *, figure: str = "ndcg@10", refit: bool = False) -> Self:
        """Fit every candidate on the training part and keep the one that is best on the validation part.

        Ctrl-C keeps what there is.

        Args:
            figure: what is best: ndcg, recall, mrr, map or hit_rate at a length, e.g. "ndcg@10".
            refit: fit the chosen one again on everything, validation and test included, once it is chosen.
        """
        name, at, k = figure.partition("@")
        usable = name in ("ndcg", "recall", "mrr", "map", "hit_rate") and at and k.isdigit() and int(k) > 0
        require(
            bool(usable), f"figure must be ndcg, recall, mrr, map or hit_rate at a length, 'ndcg@10'; got {figure!r}."
        )
        console = self.progress if isinstance(self.progress, Console) else Console(quiet=not self.progress)

        def show(trial: Trial) -> None:
            value = trial.figures.get(figure)
            measured = "nothing held out to measure on" if value is None else f"{figure} {value:.4f}"
            console.print(f"{trial.candidate.name:<28} {measured}  {trial.seconds:6.1f} s", highlight=False)

        fitter, features = self._fitter(self.data, figure)
        if features:
            console.print(features.said, highlight=False)
        trials = choose(self.candidates, fitter, self.data, figure, show)
        best = trials[0]
        self.chosen = best.candidate
        self.tried = pl.DataFrame(
            [{"model": one.candidate.name, **one.figures, "seconds": one.seconds} for one in trials]
        )
        if refit:
            self.data = self.data.all_training()
            fitter, features = self._fitter(self.data)
            fitter.sasrec = epochs_of(best.model, fitter.sasrec)
            self._take(fitter.fit(best.candidate), fitter, features)
        else:
            self._take(best.model, fitter, features)
        if len(trials) > 1:
            console.print(f"kept: {best.candidate.name}", highlight=False)
        return self

    @needs_training_data
    def update(self, df: Any, items: Any = None) -> Self:
        """Take in tomorrow's interactions: new users, new items, more of the known; the chosen model is fitted again.

        Args:
            df: a table with the same columns.
            items: a side table of the new items.
        """
        chosen, before = self._chosen(), self.recommender().model
        self.data = self.data.with_more(df, items)
        fitter, features = self._fitter(self.data)
        fitter.sasrec = epochs_of(before, fitter.sasrec)
        self._take(fitter.fit(chosen), fitter, features)
        return self

    # ---------------------------------------------------------------- lists

    def recommend(self, user: Any, n: int = 10, exclude_seen: bool = True, **filters: Any) -> Any:
        """The `n` items that a user is most likely to take; an unknown user gets what is popular, with a warning.

        Args:
            user: id.
            exclude_seen: leave out what the user met in training.
            filters: candidates, exclude (ids or titles), min_ratings (interactions an item has at least), max_per
                (``{"category": 3}``), diversity (0 to 1), and novelty: scores are divided by the item's number of
                interactions to this power.

        Returns:
            A table of items, best first, with their score and the number of training interactions of each.
        """
        request, novelty = history_request(n, exclude_seen, filters)
        return one_list_frame(self.data, self.recommender().answer([user], request, novelty))

    def recommend_many(
        self, users: Iterable[Any] | None = None, n: int = 10, exclude_seen: bool = True, **filters: Any
    ) -> Any:
        """The same for many users (all known ones by default), a row per user and item."""
        request, novelty = history_request(n, exclude_seen, filters)
        named = None if users is None else listed(users)
        return lists_frame(self.data, named, self.recommender().answer(named, request, novelty))

    def fold_in(
        self, items: Iterable[Any] | Mapping[Any, float] = (), features: Mapping[str, Any] | None = None
    ) -> FoldedHistory:
        """A new user by basket or session, the latest last: ``["Tea", "Milk"]``, or ``{"Tea": 12}`` with counts.

        Args:
            features: values of columns of the users' side table; those not given count as missing. With them the
                factors answer, whichever model was chosen: from whom the columns lead to expect, moved by the items.

        Raises:
            VectableError: features, of which the model was trained without, or a column that it does not know.
        """
        notes = Notes()
        history = history_of(self.data, items, notes)
        warn_of(notes)
        answers = self.recommender()
        if features is not None:
            answers = need_new_rows(self._new).recommender(answers, features)
        return FoldedHistory(answers, history)

    def recommend_new(self, items: Any, user: Any = None, n: int = 10) -> Any:
        """Who would want items that nobody has met yet, from their columns; or which of them a user would want.

        Args:
            items: a table (or its file) with a row per item and columns of the items' side table.
            user: an id, or a list of them; by default the users are found.
            n: users of each item, or items of each user.

        Returns:
            A row per item and user, best first, with the rank and the score: the likelihood that the user takes the
            item, on the scale where 1 is what they did take.

        Raises:
            VectableError: the model was trained without columns of items.
            DataError: the table has none of these columns.
        """
        request = ListRequest(n)
        self.recommender()
        rows, data, notes = need_new_rows(self._new), self.data, Notes()
        new, known = rows.new_items(data, items, notes), rows.known_users(data)
        if user is None:
            found = new.takers_frame(data, *new.takers(data, known, request.n))
        else:
            named = list(user) if isinstance(user, list | tuple | pl.Series | np.ndarray) else [user]
            found = new.lists_frame(data, named, *new.of_users(data, known, named, request.n, notes))
        warn_of(notes)
        return data.to_native(found)

    # ---------------------------------------------------------------- insight

    def similar(self, item: Any, n: int = 10, min_ratings: int | None = None) -> Any:
        """The `n` items met by the same kind of users as `item` (id or title), by the cosine of their vectors.

        Args:
            min_ratings: interactions that a neighbor must have; by default one.
        """
        check_neighbours(n, min_ratings)
        codes, cosines = self.recommender().similar(find_code(self.data, item, True), n, min_ratings or 1)
        return self.data.to_native(self.data.item_frame(codes, similarity=cosines, count=self.data.item_counts[codes]))

    def explain(self, user: Any, item: Any, n: int = 5) -> Any:
        """Why this score: the `n` items of the user's history that add most to it, and all the others; exact sums."""
        code, target = find_code(self.data, user, False), find_code(self.data, item, True)
        items, counts = self.data.train.of(code)
        return reasons_frame(self.data, items, *self.recommender().reasons(items, counts, target), target, n)

    def plot_map(self, x: int = 0, y: int = 1, show: int = 50, top: int = 1000, path: str | None = None) -> "Figure":
        """The `show` most popular items on two principal components of their vectors, with their names."""
        from vectable.insight.factor_map import labelled_map

        codes = np.argsort(-self.data.item_counts[1:], kind="stable")[:top].astype(np.int32) + 1
        scores, shares = principal_components(self.recommender().directions[codes], max(x, y) + 1)
        names = [f"component {at} ({shares[at]:.0%} of the variance)" for at in (x, y)]
        labels = self.data.item_names(codes[:show]).to_list()
        return labelled_map(scores[:show][:, [x, y]], labels, (names[0], names[1]), path)

    def export_vectors(self, path: str | Path) -> list[Path]:
        """Write id, name, number of interactions and vector of every item: `.parquet`, `.arrow`, `.csv` or `.tsv`."""
        codes = np.arange(1, len(self.data.item_ids), dtype=np.int32)
        about = self.data.item_frame(codes, count=self.data.item_counts[1:])
        return export_vectors(Path(path), about, self.recommender().directions[1:])

    # ---------------------------------------------------------------- saving

    def to_contents(self) -> Contents:
        """What a saved folder holds."""
        import torch

        answers = self.recommender()
        tensors, tables, settings = to_saved(self.data)
        form, arrays = model_to_parts(answers.model)
        new_form, new_arrays = new_rows_to_parts(self._new, answers.model)
        arrays = {**arrays, **new_arrays, "directions": answers.directions}
        tensors["weights"] = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
        learner = {
            "candidates": [one.to_json() for one in self.candidates],
            "chosen": self._chosen().to_json(),
            "als": self.als,
            "alpha": self.alpha,
            "tried": self.tried.to_dicts(),
            "model": form,
            "features": self.features,
            "sasrec": {name: one for name, one in self.sasrec.items() if name not in ("checkpoint", "device")},
            "new_rows": new_form,
        }
        return Contents(self.kind, {"data": settings, "learner": learner}, tensors, tables)

    @classmethod
    def from_contents(cls, contents: Contents, *, progress: bool | Console = True, **more: Any) -> Self:
        """The learner that a folder holds; it answers as before."""
        given = {name: value for name, value in more.items() if value is not None}
        require(not given, f"A saved learner of interactions takes no {', '.join(given)}.")
        form = LEARNER(contents.settings.get("learner"), "settings.learner")
        data = from_saved(contents.tensors, contents.tables, contents.settings.get("data"))
        candidates = [Candidate.from_json(one) for one in form["candidates"]]
        learn = cls(data, candidates, als=form["als"], alpha=form["alpha"], progress=progress)
        learn.chosen, learn.tried = Candidate.from_json(form["chosen"]), pl.DataFrame(form["tried"])
        model = model_from_parts(form["model"], contents.tensors, len(data.item_ids))
        learn.features, learn.sasrec = form["features"], form["sasrec"]
        learn._new = new_rows_from_parts(form["new_rows"], contents.tensors, model, len(data.item_ids))
        learn._answers = HistoryRecommender(model, data, saved_directions(contents.tensors, data))
        return learn

    # ---------------------------------------------------------------- inside

    def recommender(self) -> HistoryRecommender:
        """What answers, without frames and warnings.

        Raises:
            VectableError: before `fit`.
        """
        if self._answers is None:
            raise VectableError("The learner is not fitted yet: call fit() first.")
        return self._answers

    def __repr__(self) -> str:
        kept = "not fitted" if self.chosen is None else self.chosen.name
        return f"{type(self).__name__}: {kept}; {self.data!r}"

    def _chosen(self) -> Candidate:
        self.recommender()
        assert self.chosen is not None
        return self.chosen

    def _take(self, model: HistoryModel, fitter: Fitter, features: InteractionFeatures) -> None:
        factors = own_factors(model)
        if features and factors is None:
            factors = fitter.factors(n_factors=VECTOR_FACTORS, epochs=VECTOR_EPOCHS)
        self._new = NewRows(factors, features) if features and factors is not None else None
        own = getattr(model, "item_vectors", None)
        directions = directions_of(own) if own is not None and len(own) > 1 else item_directions(factors, self.data)
        self._answers = HistoryRecommender(model, self.data, directions)

    def _fitter(self, data: InteractionsData, figure: str | None = None) -> tuple[Fitter, InteractionFeatures]:
        """What fits, and the encoders of the side tables.

        Args:
            figure: that training may stop early by.
        """
        features = InteractionFeatures.of(data, self.features)
        of_users, of_items = features.matrices(data)
        fitter = Fitter(
            data.train,
            len(data.item_ids),
            self.in_order,
            self.als,
            self.alpha,
            user_features=of_users,
            item_features=of_items,
            sasrec=self.sasrec,
        )
        if figure is not None and len(data.valid):
            some, k = some_users(data.valid), int(figure.partition("@")[2])
            fitter.validate = lambda model: float(measure(model, some, data, k)[figure].mean())
        if self.progress:
            console = self.progress if isinstance(self.progress, Console) else Console()
            fitter.say = lambda line: console.print(line, highlight=False)
        return fitter, features


def epochs_of(model: HistoryModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of SASRec for the same again without a validation part: as many epochs as were best with one."""
    epochs = getattr(model, "epochs", None)
    if epochs is None:
        return dict(options)
    return {**options, "epochs": max(epochs, 1), "patience": max(epochs, 1), "checkpoint": None}


def item_directions(found: FactorModel | None, data: InteractionsData) -> Floats:
    """Vectors of the items of length 1: their factors, for a model without any those of a small factorization."""
    if found is None:
        rows = to_rows(data.train, len(data.item_ids))
        options = ALSOptions.by_size(len(rows.columns), data.n_users, data.n_items)
        options = options.with_changes(n_factors=VECTOR_FACTORS, epochs=VECTOR_EPOCHS)
    factors = ImplicitALS.fit(rows, options).items if found is None else found.als.items
    if len(factors) < 2:
        return np.array(factors)
    return directions_of(factors)
