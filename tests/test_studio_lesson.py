"""The student's screen: steps with curves that were computed, numbers to guess, optimizers that race."""

import math

import pytest

from studio import good, running_studio
from vectable.lesson.race import RACERS, race


@pytest.mark.slow
def test_the_lesson_is_run_and_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("VECTABLE_DATA", raising=False)
    with running_studio(tmp_path) as studio:
        lesson = good(studio.get("/api/lesson"))
        assert lesson == good(studio.get("/api/lesson"))
    assert lesson["data"] == "goodbooks"
    steps = {one["id"]: one for one in lesson["steps"]}
    for step in steps.values():
        compile(step.get("code", ""), step["id"], "exec")
        for series in step.get("curve", {"series": []})["series"]:
            assert len(series["x"]) == len(series["y"]) > 2
            assert all(map(math.isfinite, series["y"]))
    held = next(one for one in steps["losses"]["curve"]["series"] if one["name"] == "held out")
    assert held["y"][-1] == pytest.approx(steps["losses"]["guess"]["answer"], abs=1e-4)
    assert steps["finder"]["curve"]["log_x"]
    assert "goodbooks" in steps["losses"]["guess"]["after"]
    assert [one["name"].partition(",")[0] for one in lesson["race"]["optimizers"]] == list(RACERS)


def test_a_race_goes_over_the_surface_that_is_drawn():
    found = race(("sgd", "adam"))
    assert found.errors.shape == (60, 60)
    for way in found.ways:
        errors = found.errors_of(way)
        assert len(errors) == len(way.slopes)
        assert errors[-1] < errors[0]
        assert found.intercepts[0] <= way.intercepts.min()
        assert way.slopes.max() <= found.slopes[-1]
    bottom = found.bottom
    assert bottom == (30.0, 2.0)
