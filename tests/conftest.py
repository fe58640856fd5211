"""Fixtures that several test files share."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

import vectable as vt
from commands import sentence
from local_postgresql import AbsentError, Server, local_server

settings.register_profile("patient", deadline=None)  # a busy machine is no defect
settings.load_profile("patient")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data: the variable VECTABLE_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("VECTABLE_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs real data: there is no folder {folder} (set VECTABLE_DATA)")
    return folder


@pytest.fixture(scope="session")
def ml_100k(data_dir):
    """The folder of MovieLens 100k."""
    folder = data_dir / "ml-100k"
    if not (folder / "u.data").is_file():
        pytest.skip(f"needs MovieLens 100k: there is no {folder / 'u.data'}")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own."""
    pytest.importorskip("adbc_driver_postgresql")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(local_server())
        except AbsentError as why:
            pytest.skip(str(why))
        yield server


@pytest.fixture
def ratings_frame() -> pl.DataFrame:
    """Twelve ratings of four films by four people, sorted by nothing, no pair twice; films c and d share a title."""
    return pl.DataFrame(
        {
            "user": [7, 3, 7, 1, 3, 9, 9, 1, 7, 3, 1, 9],
            "item": ["b", "a", "a", "c", "d", "b", "a", "d", "c", "b", "b", "d"],
            "rating": [4.0, 3.5, 5.0, 1.0, 2.0, 4.5, 3.0, 0.5, 2.5, 4.0, 3.0, 1.5],
            "when": [12, 2, 7, 4, 5, 6, 3, 8, 9, 10, 11, 1],
            "title": ["Bee", "Ant", "Ant", "Cat", "Cat", "Bee", "Ant", "Cat", "Cat", "Bee", "Bee", "Cat"],
        }
    )


@pytest.fixture(scope="session")
def trained() -> "vt.CollabLearner":
    """A small model of the shipped films, two epochs old. Ask it anything, but do not train it."""
    data = vt.datasets.load("movietweetings").to_data()
    return vt.collab_learner(data, n_factors=8, progress=False).fit_one_cycle(2, 5e-3)


@pytest.fixture
def inside(capsys):
    """The same entry in this process, without the seconds that imports take."""

    def run(*args):
        from vectable.cli import run

        code = 0
        with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
            patched.setattr(sys, "argv", ["vectable", *map(str, args)])
            patched.setattr(warnings, "showwarning", warnings.showwarning)
            try:
                run()
            except SystemExit as ended:
                code = ended.code or 0
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(args, code, out, err)

    return run


@pytest.fixture
def refused(inside):
    """Run what is a user's mistake; the sentence that it is told."""

    def run(*args):
        done = inside(*args)
        return sentence(done)

    return run
