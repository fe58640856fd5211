"""Warnings on the command line: the first of a kind as it comes, the others counted in one line at the end."""

import warnings

import pytest

from vectable.cli import run
from vectable.cli.notes import kind_of
from vectable.errors import warn


@pytest.fixture
def command(monkeypatch):
    """Run a function as a command."""

    def command_of(function):
        monkeypatch.setattr("vectable.cli.app.app", lambda prog_name: function())
        with warnings.catch_warnings():
            run()

    return command_of


def test_warnings_of_one_kind_are_one_note_and_a_count(command, capsys):
    def some():
        for column, count in (("age", 3), ("pay", 1_200), ("size", 7)):
            warn(f"{count:,} of 5,000 values in column '{column}' cannot be read and count as missing.")
        warn("Something else.")

    command(some)
    assert capsys.readouterr().err.splitlines() == [
        "note: 3 of 5,000 values in column 'age' cannot be read and count as missing.",
        "note: Something else.",
        "note: 2 more like this, with 'pay', 'size': 3 of 5,000 values in column 'age' cannot be read and count ...",
    ]


def test_a_note_that_comes_again_word_by_word_is_counted(command, capsys):
    command(lambda: [warn("The draws are few.") for _ in range(3)])
    assert capsys.readouterr().err.splitlines() == [
        "note: The draws are few.",
        "note: 2 more like this: The draws are few.",
    ]


def test_the_count_comes_before_the_command_ends_with_an_error(command, capsys):
    def fail():
        warn("Once.")
        warn("Once.")
        raise OSError("the disk is full")

    with pytest.raises(SystemExit, match="1"):
        command(fail)
    assert capsys.readouterr().err.splitlines() == [
        "note: Once.",
        "note: 1 more like this: Once.",
        "vectable: the disk is full",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 unknown items ('a', 'b') are left out.", "9 unknown items ('x', 'y' and 7 more) are left out."),
        ('Column "it\'s" has 1.5 values.', "Column 'b' has 2 values."),
    ],
)
def test_names_and_numbers_do_not_make_another_kind(one, other):
    assert kind_of(one) == kind_of(other)


def test_other_words_make_another_kind():
    assert kind_of("1 of 2 rows have an unknown user.") != kind_of("1 of 2 rows have an unknown item.")
