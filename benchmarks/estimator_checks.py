"""How many of scikit-learn's checks of an estimator are run, skipped, and failed: ours, scikit-learn's own, and peers.

No check is expected to fail, and none is left out: what `check_estimator` itself skips is named.
"""

import warnings
from collections import Counter
from importlib import import_module
from typing import Any

from _common import Report, arguments, clock, installed, parse

OURS = ["TabularClassifier", "TabularRegressor", "RatingRegressor", "EntityEmbeddingEncoder"]
THEIRS = [
    ("sklearn.neural_network", "MLPClassifier", {}),
    ("sklearn.neural_network", "MLPRegressor", {}),
    ("sklearn.ensemble", "HistGradientBoostingClassifier", {}),
    ("sklearn.ensemble", "HistGradientBoostingRegressor", {}),
    ("lightgbm", "LGBMClassifier", {"verbose": -1}),
    ("lightgbm", "LGBMRegressor", {"verbose": -1}),
    ("catboost", "CatBoostClassifier", {"verbose": False, "allow_writing_files": False, "iterations": 100}),
    ("catboost", "CatBoostRegressor", {"verbose": False, "allow_writing_files": False, "iterations": 100}),
]


def check(estimator: Any) -> dict[str, Any]:
    """The checks of one estimator by outcome, with the names of those skipped and failed."""
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings(), clock() as seconds:
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_skip=None, on_fail=None)
    outcomes = Counter(one["status"] for one in results)
    named = {what: [one["check_name"] for one in results if one["status"] == what] for what in ("skipped", "failed")}
    return {
        "passed": outcomes["passed"],
        "skipped": named["skipped"],
        "failed": named["failed"],
        "expected_to_fail": outcomes["xfail"],
        "seconds": seconds(),
    }


def main() -> None:
    """Check one estimator after the other."""
    args = parse(arguments(__doc__ or "", data=False))
    import sklearn

    report = Report("estimator_checks", args, scikit_learn=sklearn.__version__)
    estimators = [("vectable", name, {}) for name in (OURS[2:3] if args.quick else OURS)]
    for module, name, how in [] if args.quick else THEIRS:
        if installed(module.split(".")[0]):
            estimators.append((module, name, how))
        elif name.endswith("Classifier"):
            report.missing(module)
    rows = []
    for module, name, how in estimators:
        found = check(getattr(import_module(module), name)(**how))
        report.result(name, found)
        told = {key: str(len(found[key])) for key in ("skipped", "failed")}
        which = ", ".join(dict.fromkeys([*found["skipped"], *found["failed"]]))
        rows.append(
            {
                "estimator": name,
                "run": str(found["passed"] + len(found["failed"]) + found["expected_to_fail"]),
                **told,
                "expected to fail": str(found["expected_to_fail"]),
                "skipped or failed": which or "-",
                "seconds": f"{found['seconds']:.1f}",
            }
        )
    report.table(rows)
    failures = sum(len(report.found["results"][name]["failed"]) for _, name, _ in estimators if name in OURS)
    report.target("failed checks of our estimators together", failures, at_most=0)
    report.finish()


if __name__ == "__main__":
    main()
