"""The models that a learner may fit, as values that can be saved, and how each is fitted to histories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from vectable.data.interactions.histories import Histories
from vectable.errors import UnknownNameError, VectableError, did_you_mean
from vectable.factorising.als import ALSOptions, ImplicitALS
from vectable.factorising.ease import MOST_ITEMS, EASEOptions, ease
from vectable.factorising.history_models import Blend, FactorModel, HistoryModel, LinearModel
from vectable.factorising.history_weights import HistoryWeights
from vectable.factorising.neighbours import NeighbourOptions, neighbours
from vectable.factorising.slim import slim
from vectable.factorising.sparse_rows import SparseRows
from vectable.factorising.transitions import TransitionOptions, transitions
from vectable.folder_schema import PartError, list_of, number, one_of, record, text

Part = Literal["als", "ease", "light_ease", "slim", "neighbours", "transitions", "sasrec"]

RECENT = HistoryWeights(power=2.0, reach=3.0)
"""For what comes next: the last few entries matter most."""
LIGHT = EASEOptions(reg=2.0)
"""Of light EASE: less regularization suits users who met much, each in a corner of their own."""
FADING = HistoryWeights(power=1.0, reach=10.0)
"""For what a user likes altogether, older entries a little less."""


CANDIDATE = record(name=text, parts=list_of(one_of(*get_args(Part)), 1, 10), shares=list_of(number(0), 1, 10))
"""The form of a candidate in a saved folder."""


@dataclass(frozen=True)
class Candidate:
    """One model or a blend of several.

    Attributes:
        name: what it is called in the table of what was tried.
        parts: the models that are blended, mostly one.
        shares: of each in the blend.
    """

    name: str
    parts: tuple[Part, ...]
    shares: tuple[float, ...] = (1.0,)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "parts": list(self.parts), "shares": list(self.shares)}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Candidate":
        """The candidate back from `to_json`.

        Raises:
            PartError: it has another form.
        """
        form = CANDIDATE(form, "learner.candidates")
        if len(form["parts"]) != len(form["shares"]):
            raise PartError("learner.candidates: a candidate must have a share for each of its parts")
        return cls(form["name"], tuple(form["parts"]), tuple(form["shares"]))


@dataclass
class Fitter:
    """Fits parts to histories, each once.

    Args:
        histories: the training histories, a row per user code.
        n_items: items, the unknown among them.
        in_order: whether the histories' order matters, so that older entries weigh less.
        als: changes to the defaults of the factors.
        alpha: how much counts matter; see `HistoryWeights`.
        on_epoch: called after each epoch of the factors with its number and how many there are.
        user_features, item_features: what side tables tell, sparse, a row per code; None where there is nothing.
        sasrec: changes to the defaults of SASRec.
        validate: what SASRec stops early by; without it all its epochs are trained.
        say: called with a line after each epoch of SASRec.
    """

    histories: Histories
    n_items: int
    in_order: bool
    als: Mapping[str, Any] = field(default_factory=dict)
    alpha: float = 0.0
    on_epoch: Callable[[int, int], None] | None = None
    user_features: Any = None
    item_features: Any = None
    sasrec: Mapping[str, Any] = field(default_factory=dict)
    validate: Callable[[HistoryModel], float] | None = None
    say: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self._fitted: dict[Part, HistoryModel] = {}

    def fit(self, candidate: Candidate) -> HistoryModel:
        """The model that a candidate stands for."""
        models = [self._part(part) for part in candidate.parts]
        return models[0] if len(models) == 1 else Blend(models, list(candidate.shares))

    def _part(self, part: Part) -> HistoryModel:
        if part not in self._fitted:
            self._fitted[part] = self._fit(part)
        return self._fitted[part]

    def _fit(self, part: Part) -> HistoryModel:
        rows = to_rows(self.histories, self.n_items)
        if part == "sasrec":
            return self._sasrec(rows)
        counted = HistoryWeights(alpha=self.alpha)
        if part == "transitions":
            return LinearModel(transitions(rows, TransitionOptions()), RECENT)
        weighted = counted.apply(rows)
        weighing = replace(FADING, alpha=self.alpha) if self.in_order else counted
        if part in ("ease", "light_ease"):
            return LinearModel(ease(weighted, EASEOptions() if part == "ease" else LIGHT), weighing)
        if part == "slim":
            return LinearModel(slim(weighted), weighing)
        if part == "neighbours":
            return LinearModel(neighbours(weighted, NeighbourOptions(most=500, shrink=30.0)), weighing)
        return self.factors(**self.als)

    def _sasrec(self, rows: SparseRows) -> HistoryModel:
        from vectable.interactions.sasrec_training import SASRecOptions, train  # what needs torch
        from vectable.interactions.sequence_model import SequenceModel

        options, validate, say = SASRecOptions.of(self.sasrec), self.validate, self.say

        def show(epoch: int, figure: float | None) -> None:
            if say is not None:
                say(f"epoch {epoch}" + ("" if figure is None else f": {figure:.4f}"))

        measured = None if validate is None else lambda net: validate(SequenceModel(net, options, 0))
        net, reached = train(rows, options, measured, show)
        return SequenceModel(net.cpu(), options, reached.best_epoch)

    def factors(self, **changes: Any) -> FactorModel:
        """Factors of users and items, with maps from their features where there are any.

        Args:
            changes: to the options by size.
        """
        rows, counted = to_rows(self.histories, self.n_items), HistoryWeights(alpha=self.alpha)
        users, items = np.count_nonzero(rows.lengths), np.count_nonzero(np.bincount(rows.columns))
        options = ALSOptions.by_size(len(rows.columns), int(users), int(items)).with_changes(**changes)
        on_epoch = self.on_epoch
        report = None if on_epoch is None else lambda epoch: on_epoch(epoch, options.epochs)
        features = {"item_features": self.item_features, "user_features": self.user_features}
        return FactorModel(ImplicitALS.fit(counted.apply(rows), options, report, **features), counted)


def to_rows(histories: Histories, n_items: int) -> SparseRows:
    """Histories as rows of a sparse matrix."""
    return SparseRows(histories.starts, histories.items, histories.counts, n_items)


def implicit_candidates(model: str, n_items: int) -> list[Candidate]:
    """What `implicit_learner` tries for a model by name.

    Raises:
        VectableError: there is no such model, or it needs too much memory for so many items.
    """
    others: Part = "ease" if n_items <= MOST_ITEMS else "slim"
    named = {
        "als": Candidate("als", ("als",)),
        "ease": Candidate("ease", ("ease",)),
        "slim": Candidate("slim", ("slim",)),
        "neighbours": Candidate("neighbours", ("neighbours",)),
    }
    if model == "auto":
        more = [Candidate("light ease", ("light_ease",))] if others == "ease" else [named["neighbours"]]
        return [named[others], *more, named["als"], Candidate(f"{others} + als", (others, "als"), (0.5, 0.5))]
    check_model(model, named)
    if model == "ease" and n_items > MOST_ITEMS:
        raise VectableError(
            f"model='ease' keeps a weight for every pair of items, and there are {n_items:,} of them (at most "
            f"{MOST_ITEMS:,}): use model='slim', 'neighbours' or 'als'."
        )
    return [named[model]]


def next_candidates(model: str, n_items: int) -> list[Candidate]:
    """What `next_item_learner` tries for a model by name."""
    others: Part = "ease" if n_items <= MOST_ITEMS else "neighbours"
    check_model(model, {"linear": None, "sasrec": None})
    if model == "sasrec":
        return [Candidate("sasrec", ("sasrec",))]
    return [
        Candidate("transitions", ("transitions",)),
        *(
            Candidate(f"transitions + {share:g} {others}", ("transitions", others), (1 - share, share))
            for share in (0.15, 0.3)
        ),
    ]


def check_model(model: str, known: Mapping[str, Any]) -> None:
    """Raise a sentence for a model that there is not."""
    if model not in known and not (model == "auto" and "linear" in known):
        names = ["auto", *known]
        raise UnknownNameError(f"There is no model {model!r}.{did_you_mean(model, names)} There are {names}.")
