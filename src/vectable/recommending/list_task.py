"""What lists are measured on: held-out users, what is known of them, what is to be found, what they must beat."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.histories import Histories
from vectable.data.vocabularies import Vocabularies
from vectable.errors import UnknownNameError, VectableError, did_you_mean, require
from vectable.recommending.evaluation import Evaluation, activity_groups, check_ks, figures_of
from vectable.recommending.lists import Scorer

BASELINES = ("popularity", "recent popularity")


@dataclass(frozen=True)
class ListTask:
    """Held-out users and what is to be found.

    Attributes:
        held_out: users, what is known of each, and what is to be found.
        names: of users and items, with the number of training interactions of each item.
        recent: the latest of those, (items + 1,); None where there are no times.
        about: the data and its split, in words.
    """

    held_out: HeldOut
    names: Vocabularies
    recent: NDArray[np.int64] | None
    about: str

    def check(self, name: str, theirs: Vocabularies, train: Histories) -> None:
        """Raise a sentence for a model that knows other items, or was trained on what is to be found.

        Args:
            name: what the model is called.
            theirs: its users and items.
            train: what it was trained on, a history per user code.
        """
        ours = self.names
        same = theirs.item_ids.vocabulary.equals(ours.item_ids.vocabulary)
        require(same, f"{name!r} was fitted on other items than those of the data ({self.about}).")
        if not theirs.user_ids.vocabulary.equals(ours.user_ids.vocabulary):
            return
        targets, width = self.held_out.targets, len(ours.item_ids)
        wanted = np.repeat(self.held_out.users.astype(np.int64), targets.lengths) * width + targets.items
        shown = np.repeat(np.arange(len(train)), train.lengths) * width + train.items
        leaked = int(np.isin(wanted, shown).sum())
        require(
            not leaked,
            f"{name!r} was trained on {leaked:,} of the {len(wanted):,} interactions that its lists should find: "
            "measure it on what it has not seen, or fit it on the training part alone.",
        )


def measure(
    models: Mapping[str, Scorer | str], task: ListTask, k: int | Sequence[int], by: str | None = None
) -> Evaluation:
    """Measure the lists of models, and of popularity and recent popularity beside them.

    Args:
        models: by name what scores the held-out users, or the name of a baseline.
        k: lengths of the lists.
        by: "activity" also groups the users by how much is known of them.

    Raises:
        VectableError: nothing is held out, or an argument out of range.
    """
    require(by in (None, "activity"), f"by must be 'activity' or None; got {by!r}.")
    ks, held_out = check_ks(k), task.held_out
    if len(held_out) == 0:
        raise VectableError(f"No interaction that could be found is in the {task.about}.")
    scorers: dict[str, Scorer | str] = {**models}
    for name in BASELINES[: 1 + (task.recent is not None)]:
        scorers.setdefault(name, name)
    counts, n_users = task.names.item_counts, task.names.n_users
    figures = {
        name: figures_of(_baseline(one, task) if isinstance(one, str) else one, held_out, ks, counts, n_users)
        for name, one in scorers.items()
    }
    groups = activity_groups(held_out.inputs.lengths) if by else None
    return Evaluation(figures, ks, groups, task.about)


def named_models(models: Any, name_of: Any) -> dict[str, Any]:
    """Models by name: a dict as it is, of a list or a single one what `name_of` says.

    Raises:
        VectableError: two have the same name.
    """
    from vectable.recommending.evaluation import check_named

    if isinstance(models, Mapping):
        return dict(models)
    listed = list(models) if isinstance(models, Iterable) and not isinstance(models, str) else [models]
    names = [one if isinstance(one, str) else name_of(one) for one in listed]
    check_named(names)
    return dict(zip(names, listed, strict=True))


def check_baseline(name: str) -> None:
    """Raise a sentence for a baseline that there is not."""
    if name not in BASELINES:
        raise UnknownNameError(f"There is no baseline {name!r}.{did_you_mean(name, BASELINES)}")


def _baseline(name: str, task: ListTask) -> Scorer:
    check_baseline(name)
    recent = task.recent if name == "recent popularity" else None
    row = (task.names.item_counts if recent is None else recent).astype(np.float32)
    return lambda first, last: np.tile(row, (last - first, 1))
