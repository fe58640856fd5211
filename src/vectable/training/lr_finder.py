"""The learning-rate finder: a short run with growing rates, what it suggests, and its plot.

Four of the suggestions are those of fastai, from its release 2.3 on; the two rules of thumb are the lesson's; and one
rate is named to be used. L. Smith, arXiv 1506.01186.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan
from vectable.errors import VectableError, is_finite, is_whole, require
from vectable.training.hooks import Callback
from vectable.training.parameter_groups import Numbers
from vectable.training.position import FitPlan, Position
from vectable.training.recorder import smooth
from vectable.training.schedules import Schedule, finder_schedule
from vectable.training.session import TrainingSession
from vectable.training.threads import threads_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = NDArray[np.float64]


def valley(lrs: Curve, losses: Curve) -> float:
    """Two thirds down the longest falling part of the curve (the longest decreasing subsequence)."""
    lengths = np.ones(len(losses), dtype=int)
    for i in range(1, len(losses)):
        falling = lengths[:i][losses[:i] > losses[i]]
        lengths[i] = falling.max() + 1 if len(falling) else 1
    end = int(lengths.argmax())
    start = end - int(lengths[end])
    third = (end - start) / 3
    return float(lrs[start + int(third) + int(third / 2)])


def steep(lrs: Curve, losses: Curve) -> float:
    """Where the loss falls fastest by the logarithm of the rate."""
    return float(lrs[(np.diff(losses) / np.diff(np.log(lrs))).argmin()])


def minimum(lrs: Curve, losses: Curve) -> float:
    """A tenth of the rate with the lowest loss: one step of ten before the bottom."""
    return float(lrs[losses.argmin()] / 10)


def slide(lrs: Curve, losses: Curve, width: int = 15, threshold: float = 0.005) -> float:
    """Left end of an interval of `width` points that is slid down from the end until the slopes at its ends agree."""
    slopes = np.gradient(losses)
    right, left = len(losses) - 1, max(len(losses) - 1 - width, 0)
    found = lrs[left]
    while left >= 0 and abs(slopes[right] - slopes[left]) > threshold:
        found = lrs[left]
        right, left = right - 1, left - 1
    return float(found)


def well_before_bottom(lrs: Curve, losses: Curve) -> float:
    """The rate to use: a fortieth of the rate with the lowest loss, a quarter of the lesson's rule.

    Of eight rules it had the smallest mean regret in training loss (one cycle at its rate, against the best of a grid)
    on eight sets (ratings by dot product and by a net, tables) and three seeds. It was chosen on these sets, and not
    tested on others.
    """
    return float(lrs[losses.argmin()] / 40)


SUGGESTIONS: dict[str, Callable[[Curve, Curve], float]] = {
    "valley": valley,
    "steep": steep,
    "minimum": minimum,
    "slide": slide,
}


CLEAR_FALL = 4.0  # standard deviations of the flat part that a loss must fall by, or there is nothing to suggest
LEFT_THE_FLAT = 0.02  # share of the fall that must be behind at a suggested rate


@dataclass
class FoundRates:
    """The finder's curve.

    Attributes:
        lrs: learning rates tried, (points,).
        losses: smoothed loss at each, (points,).
        n_steps: steps that were planned; the curve is shorter when the loss blew up.
        untrained: smoothed loss of the model as it was, on the same batches, (points,); None where it is not known.
            What is left when it is taken away is due to the rate, and not to the batch.
        rate: the learning rate to use; None where the curve supports none.
        suggestions: by name: `valley`, `steep`, `minimum` and `slide`, and the lesson's two rules, `before_bottom`
            (one step of ten before the lowest loss) and `around_steepest` (the steepest point, ten times less, ten
            times more). None for one that the curve does not support.
        withheld: by name, why a suggestion (or "rate") is None.
        by_rule: what each rule gives, supported or not.
    """

    lrs: Curve
    losses: Curve
    n_steps: int = 100
    untrained: Curve | None = None
    rate: float | None = field(init=False)
    suggestions: dict[str, Any] = field(init=False)
    withheld: dict[str, str] = field(init=False)
    by_rule: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.lrs, self.losses = np.asarray(self.lrs), np.asarray(self.losses)
        lrs, losses = self._inner()
        if len(lrs) < 4:
            raise VectableError(
                f"The loss blew up after {len(self.lrs)} steps, too few to suggest a learning rate: start lower "
                "(start_lr=1e-9), take larger batches, or look at the data."
            )
        by_rule: dict[str, Any] = {name: suggest(lrs, losses) for name, suggest in SUGGESTIONS.items()}
        steepest = by_rule["steep"]
        by_rule["before_bottom"] = by_rule["minimum"]
        by_rule["around_steepest"] = (steepest / 10, steepest, steepest * 10)
        self.by_rule, self.withheld = by_rule, {}
        rate = well_before_bottom(lrs, self._clear())
        for name, value in {"rate": rate, **by_rule}.items():
            looked_at = {"before_bottom": value, "around_steepest": steepest}.get(name, value)
            if (reason := self._objection(looked_at, own=name == "rate")) is not None:
                self.withheld[name] = reason
        self.rate = None if "rate" in self.withheld else rate
        self.suggestions = {name: None if name in self.withheld else value for name, value in by_rule.items()}

    def plot(self, skip_start: int = 10, skip_end: int = 5, path: str | None = None) -> "Figure":
        """Loss against learning rate without the first and last few points: the rate to use marked by a line, the
        suggestions that the curve supports as dots."""
        from vectable.plotting import figure, save

        stop = max(len(self.lrs) - skip_end, skip_start + 2)
        fig, ax = figure()
        ax.plot(self.lrs[skip_start:stop], self.losses[skip_start:stop])
        if self.rate is not None:
            ax.axvline(self.rate, color="0.4", lw=1, label=f"use {self.rate:.1e}")
        for name in SUGGESTIONS:
            rate = self.suggestions[name]
            if rate is not None:
                ax.plot(rate, self._loss_at(rate), "o", label=f"{name} {rate:.1e}")
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss, smoothed")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False)
        else:
            ax.set_title(self.withheld["rate"], fontsize=8)
        return save(fig, path)

    def _objection(self, rate: float, own: bool) -> str | None:
        """Why the curve does not support a rate; None where it does."""
        losses = self._clear()
        flat = losses[: max(len(losses) // 3, 2)]
        start, noise, lowest = float(np.median(flat)), float(np.std(flat)), float(losses.min())
        if start - lowest < CLEAR_FALL * noise:
            return (
                f"the loss falls from {start:.4g} to {lowest:.4g} only, and varies by {noise:.2g} before that: nothing "
                "can be read from this curve; take larger batches, or more steps (num_it)"
            )
        at = float(np.interp(np.log(rate), np.log(self._inner()[0]), losses))
        if not own and start - at < max(LEFT_THE_FLAT * (start - lowest), noise):
            return f"the loss has not begun to fall at {rate:.1e}: it is {at:.4g} there, and {start:.4g} at the start"
        return None

    def _loss_at(self, rate: float) -> float:
        return float(np.interp(np.log(rate), np.log(self.lrs), self.losses))

    def _clear(self) -> Curve:
        """The inner losses without what only the batches explain."""
        _, losses = self._inner()
        if self.untrained is None:
            return losses
        first = self.n_steps // 10
        untrained = np.asarray(self.untrained)[first : first + len(losses)]
        return np.asarray(losses - untrained + untrained.mean())

    def _inner(self) -> tuple[Curve, Curve]:
        first = self.n_steps // 10
        return self.lrs[first:-5], self.losses[first:-5]

    def __repr__(self) -> str:
        if self.rate is None:
            return f"FoundRates(no rate: {self.withheld['rate']})"
        known = {name: self.suggestions[name] for name in SUGGESTIONS if self.suggestions[name] is not None}
        return f"FoundRates({', '.join(f'{name} {rate:.2e}' for name, rate in {'use': self.rate, **known}.items())})"


def find_rates(
    session: TrainingSession,
    start_lrs: Numbers,
    end_lr: float,
    num_it: int,
    listeners: Sequence[Callback] = (),
) -> FoundRates:
    """Train a session's first model with growing rates, and put everything back, also when that fails.

    The same batches are first seen by the model as it is: what one batch is harder than another does not count as a
    loss that blew up.

    Args:
        start_lrs: first rate of each layer group, (groups,); they keep their ratios.
        end_lr: last rate of the last layer group.
        num_it: largest number of steps.
        listeners: called at the start, after every step and at the end, with ``session.plan.purpose == "lr_find"``.
    """
    require(is_whole(num_it, 20), f"num_it is {num_it}; give at least 20 steps.")
    require(
        is_finite(end_lr) and start_lrs.min() > 0 and start_lrs[-1] < end_lr,
        f"The rates go from {start_lrs[-1]:g} to {end_lr}; give 0 < start_lr < end_lr.",
    )
    schedule = finder_schedule(num_it, start_lrs, end_lr)
    model = session.members[0]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    session.plan, session.position = FitPlan(1, num_it, purpose="lr_find"), Position()
    for listener in listeners:
        listener.on_fit_start(session, model)
    try:
        with threads_for(session.members[0], session.device, session.options.threads):
            untrained = np.array(_losses(session, Schedule(np.zeros_like(schedule.lrs), schedule.moms), _never))
            model.load_state_dict(before)
            known = len(untrained) == num_it and bool(np.isfinite(untrained).all())
            hardness = untrained - untrained.mean() if known else np.zeros(num_it)
            losses = _losses(session, schedule, lambda found: _blown_up(found - hardness[: len(found)]), listeners)
    finally:
        model.load_state_dict(before)
    for listener in listeners:
        listener.on_fit_end(session, model)
    same_batches = smooth(untrained[: len(losses)]) if known else None
    return FoundRates(schedule.lrs[: len(losses), -1], smooth(losses), num_it, same_batches)


def _losses(
    session: TrainingSession,
    schedule: Schedule,
    blown_up: Callable[[Curve], int],
    listeners: Sequence[Callback] = (),
) -> list[float]:
    """The loss at each step of the finder's schedule, until it blows up or a listener stops it.

    Args:
        blown_up: from the losses so far, (steps,), to the number of steps until they blew up; 0 if they did not.
    """
    model, num_it = session.members[0], len(schedule)
    engine = session.make_engine(model)
    engine.begin(schedule)
    losses: list[float] = []
    rows, lap, stopped = session.data.train.to(session.device), 0, False
    while len(losses) < num_it and not blown_up(np.array(losses)) and not stopped:
        with session.seeded("finder", lap) as rng:
            plan = _first_steps(session.batches(engine, rng), num_it - len(losses))
            for part in engine.run(plan, rows, most=1 if engine.in_place else None):
                losses.extend(part.tolist())
                session.position = Position(0, lap, len(losses))
                stop = [listener.on_step_end(session, model, part) for listener in listeners]
                stopped = any(stop)
                if stopped or blown_up(np.array(losses)):
                    break
        lap += 1
    return losses[: blown_up(np.array(losses)) or len(losses)]


def _first_steps(plan: BatchPlan, n_steps: int) -> BatchPlan:
    """The first steps of a plan, every row's lane as it was."""
    n_steps = min(n_steps, len(plan))
    stages = tuple((first, min(last, n_steps)) for first, last in plan.stages if first < n_steps)
    return BatchPlan(plan.order, plan.starts[:n_steps], plan.stops[:n_steps], plan.lanes[:n_steps], stages)


def _blown_up(losses: Curve) -> int:
    """Number of steps until the smoothed loss passes four times its best or is not finite; 0 if it never does."""
    smoothed = smooth(losses)
    best = np.minimum.accumulate(smoothed) if len(smoothed) else smoothed
    bad = ~np.isfinite(smoothed) | (smoothed > best + 3 * np.abs(best))
    return int(bad.argmax()) if bad.any() else 0


def _never(losses: Curve) -> int:
    """0 steps until they blew up, whatever the losses are: at a rate of zero batches differ, and nothing explodes."""
    return 0
