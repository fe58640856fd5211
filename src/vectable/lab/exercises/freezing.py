"""Exercise: layer groups, freezing, and a learning rate for each group."""

from typing import Any

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''def freeze_to(groups, n):
    """Let the first n groups of parameters rest, and all others train."""
    for at, group in enumerate(groups):
        for parameter in group:
            parameter.requires_grad_(at >= n)  #!


def spread(low, high, n):
    """n learning rates from low to high in equal ratios."""
    return [low * (high / low) ** (at / (n - 1)) for at in range(n)]  #!
'''


def _net() -> tuple[Any, list[list[Any]]]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    return net, [list(net[at].parameters()) for at in (0, 2, 4)]


def _frozen(answer: Any) -> dict[str, Any]:
    found = {}
    _, groups = _net()
    for n in (2, 0, 1):  # 0 after 2: unfreezing is the same call
        answer.freeze_to(groups, n)
        for at, group in enumerate(groups):
            found[f"group {at} trains after freeze_to(groups, {n})"] = all(one.requires_grad for one in group)
    return found


def _rates(answer: Any) -> dict[str, Any]:
    return {"spread(1e-5, 1e-3, 3)": answer.spread(1e-5, 1e-3, 3), "spread(1, 16, 5)": answer.spread(1.0, 16.0, 5)}


EXERCISE = Exercise(
    name="freezing",
    title="Freezing and layer groups",
    task="Fine-tuning trains the last layers first, and then all of them, the first layers with smaller steps.",
    page="lesson/fine-tuning",
    source=SOURCE,
    checks=(
        Check("freezing and unfreezing", _frozen, "requires_grad_ takes True as well as False."),
        Check("rates for the groups", _rates, "Equal ratios: each rate is the one before times the same number.", 1e-9),
    ),
    mistakes=(
        Mistake(
            "What was frozen before is not let go again.",
            {
                "parameter.requires_grad_(at >= n)": "parameter.requires_grad_(False) if at < n else None",
            },
        ),
        Mistake("The wrong groups rest: the first n do, and the last train.", {"(at >= n)": "(at < n)"}),
        Mistake(
            "These are equal steps; equal ratios are wanted.",
            {"low * (high / low) ** (at / (n - 1))": "low + (high - low) * at / (n - 1)"},
        ),
    ),
    seconds=60,
)
