"""Old names work and warn at the caller's line."""

import warnings

import pytest

import vectable as vt
from vectable import deprecation
from vectable.deprecation import renamed_arguments, renamed_method, renamed_property


@renamed_arguments(n_epoch="n_epochs")
def train(n_epochs: int = 1) -> int:
    return n_epochs


class Thing:
    value = 7
    worth = renamed_property("worth", "value")

    def on_epoch_end(self, row: int) -> int:
        return row + 1

    epoch_ended = renamed_method("epoch_ended", on_epoch_end)


@pytest.mark.parametrize(
    ("call", "result", "message"),
    [
        (lambda: train(n_epoch=3), 3, "n_epoch is now called n_epochs"),
        (lambda: Thing().epoch_ended(4), 5, "epoch_ended is now called on_epoch_end"),
        (lambda: Thing().worth, 7, "worth is now called value"),
    ],
)
def test_an_old_name_works_and_warns_with_the_new_one_at_the_callers_line(call, result, message):
    with pytest.warns(DeprecationWarning, match=message) as caught:
        assert call() == result
    assert caught[0].filename == __file__


def test_new_names_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(n_epochs=2) == train(2) == 2


def test_both_names_at_once_are_refused():
    with pytest.raises(vt.VectableError, match="n_epoch and n_epochs, which are the same argument"):
        train(n_epoch=1, n_epochs=2)


def test_a_renamed_name_of_the_package_is_found(monkeypatch):
    monkeypatch.setitem(deprecation.RENAMED, "RatingsTable", "RatingsData")
    with pytest.warns(DeprecationWarning, match="RatingsTable is now called RatingsData"):
        assert vt.RatingsTable is vt.RatingsData
    with pytest.raises(AttributeError, match="NoSuchThing"):
        vt.NoSuchThing  # noqa: B018
