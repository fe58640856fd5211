"""Folders that released versions saved: they load, and answer what they answered then."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vectable as vt
from every_kind import EveryKind, as_json

SMALL = EveryKind(n_users=12, n_items=14, each=8)
FOLDERS = sorted(file.parent for file in (Path(__file__).parent / "saved").glob("*/*/answers.json"))
NAMES = {name.replace(" ", "-"): name for name in SMALL.names}


def assert_alike(found: Any, then: Any) -> None:
    """Equal, numbers to what another processor's rounding may change."""
    if isinstance(then, dict):
        assert list(found) == list(then)
        for name in then:
            assert_alike(found[name], then[name])
    elif isinstance(then, list):
        assert len(found) == len(then)
        for one, other in zip(found, then, strict=True):
            assert_alike(one, other)
    elif isinstance(then, float):
        np.testing.assert_allclose(found, then, rtol=1e-4, atol=1e-5)
    else:
        assert found == then


def test_there_is_a_folder_of_every_kind_but_images() -> None:
    assert {folder.name for folder in FOLDERS} == set(NAMES) - {"images"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["whole", "serving"])
@pytest.mark.parametrize("folder", FOLDERS, ids=[f"{one.parent.name}/{one.name}" for one in FOLDERS])
def test_it_answers_what_it_answered_then(folder: Path, kind: str) -> None:
    learn = vt.load_learner(folder / kind, progress=False)
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    questions = SMALL.questions(NAMES[folder.name])
    assert len(questions) == len(answers)
    for ask, then in zip(questions, answers, strict=True):
        assert_alike(as_json(ask(learn)), then)
